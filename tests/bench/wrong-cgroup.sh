#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: wrong cgroup first
# There is one disk. One cgroup has a big old dirty file. A small cgroup, at its limit, has dirty
# data of its own and wants memory. The owner of each inode pays for its writeback (memory and io).
# metrics: oom_kills squeeze_s longest_ms scanned_per_freed unneeded_pages others_pages write_requests
# aim: oom_kills <= 0
# mem: 1G
# timeout: 120
. "$(dirname "$0")/lib.sh"

need_memcg
set_up 3 "wrong cgroup first"
late_dirty
for cg in rwb-big rwb-small; do cg_make $cg; done
echo +io > "$CG/cgroup.subtree_control" || bail "no io controller"

IN=$CG/rwb-big load -k old -O -o half write $OLD $OLD_MIB
echo 96M > "$CG/rwb-small/memory.max"
IN=$CG/rwb-small load -k new write $MNT/new 40
IN=$CG/rwb-small measured load -k squeeze touch 80

check "the squeeze took place" grep -q '^squeeze.pages [1-9]' "$RESULTS/loads"
verified "old file: every page is right" -O -o half verify $OLD $OLD_MIB
verified "new file: every page is right" verify $MNT/new 40

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin memcg_high: a cgroup is over its memory.high, because of a charge or because the limit is
# lowered. The task that is over it pays on its way back to user space.
# guards: rust/words/origin.rs rust/ledgers/cgroups.rs rust/kernel_ext/cgroup.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
start_test $((2 * CHARGED + 2)) "writes at memory.high"
load_mod
zram_swap_on 128
M=$(scaled 16)

cg_make rwb-high
echo "${M}M" > "$CG/rwb-high/memory.high"
snap before
hog_in "$CG/rwb-high" charge -c text -m $((M + M / 4))
hog_filled charge
quiesce
snap after
check_charged memcg_high anon sync $((M * 50))
# This test is not about the throttling on the way back, so the limit goes before that.
echo max > "$CG/rwb-high/memory.high"
check "every page came back right" hog_done charge

hog_in "$CG/rwb-high" lower -c text -m "$M"
hog_filled lower
snap before
echo "$((M / 2))M" > "$CG/rwb-high/memory.high"
quiesce
snap after
check_charged memcg_high anon sync $((M * 50))
echo max > "$CG/rwb-high/memory.high"
check "every page came back right" hog_done lower

finish

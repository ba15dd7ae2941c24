#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin memcg_soft: the soft limit of cgroup v1. kswapd (or a task in direct reclaim) reclaims for
# it before anything else, in a window inside its own, so that the writes belong to the soft limit.
# Only the classic LRU has it.
# guards: rust/words/origin.rs rust/ledgers/windows.rs rust/policy/nest.rs
# faults: origin
# cgroup: v1
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg1
M=$(scaled 48)
limit=$((M * 262144))
mkdir "$CG1/over"
echo $limit > "$CG1/over/memory.soft_limit_in_bytes" 2> /dev/null
# 7.3 still has the code, and the file, but takes no value any more.
if [ "$(cat "$CG1/over/memory.soft_limit_in_bytes" 2> /dev/null)" != $limit ]; then
	rmdir "$CG1/over"
	cg1_umount
	skip_all "this kernel takes no soft limit"
fi
start_test plan-at-end "writes by the soft limit"
undo cg1_umount
undo "loop_until 50 rmdir $CG1/over 2> /dev/null"
check "the classic LRU" lru classic
load_mod
zram_swap_on 256

vm watermark_scale_factor 300
leave_mib $((M + 64))
trace_windows
snap before
hog_in "$CG1/over" hog -c text -m "$M"
hog_filled hog
# Now something outside the cgroup takes what is left, slowly enough for kswapd.
hog_start squeeze -c zero -P 20000 -m $(($(mem_mib MemFree) - $(wmark_mib low) + 12))
hog_filled squeeze
hog_kill squeeze
drop_ballast
quiesce
snap after
check_num "memcg_soft.anon.sync.pages has writes" \
	"$(delta writes 'memcg_soft\.anon\.sync\.pages')" -ge 256
section "the soft limit" 2
check_origins
section "origins" "$ORIGIN_CHECKS"
check_books
section "books" "$BOOKS"
check "every page came back right" hog_done hog
section "content" 1

finish

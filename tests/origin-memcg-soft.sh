#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin memcg_soft: cgroup v1's soft limit. kswapd (or a direct reclaimer) runs
# it before anything else, in a window inside its own: the writes are the soft
# limit's. Only the classic LRU has it.
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
V1=/tmp/rwb-cgroup-v1
! cg_mount || cg_release 2> /dev/null
mkdir -p "$V1"
mount -t cgroup -o memory rwb "$V1" 2> /dev/null ||
	skip_all "no cgroup v1 memory controller, or v2 holds it"
M=$(scaled 48)
limit=$((M * 262144))
mkdir "$V1/over"
echo $limit > "$V1/over/memory.soft_limit_in_bytes" 2> /dev/null
# 7.3 still has the code, and the file, but takes no value any more.
if [ "$(cat "$V1/over/memory.soft_limit_in_bytes" 2> /dev/null)" != $limit ]; then
	rmdir "$V1/over"
	umount "$V1"
	skip_all "this kernel takes no soft limit"
fi
start_test $((ORIGIN_CHECKS + BOOKS + 3)) "writes by the soft limit"
undo "umount $V1 && rmdir $V1"
undo "loop_until 50 rmdir $V1/over 2> /dev/null"
check "classic LRU" lru classic
load_mod
zram_swap_on 256

vm watermark_scale_factor 300
leave_mib $((M + 64))
trace_windows
snap before
hog_in "$V1/over" hog -c text -m "$M"
hog_filled hog
# Now something outside takes what is left, slowly enough for kswapd.
hog_start squeeze -c zero -P 20000 -m $(($(mem_mib MemFree) - $(low_mib) + 12))
hog_filled squeeze
hog_kill squeeze
hog_kill ballast
quiesce
snap after
check_num "memcg_soft.anon.sync.pages has writes" \
	"$(delta writes 'memcg_soft\.anon\.sync\.pages')" -ge 256
check_origins
check_books
check "every page came back right" hog_done hog

finish

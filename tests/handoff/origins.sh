#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Everyone who reclaims hands over: kswapd and tasks, a cgroup at its limit, MADV_PAGEOUT,
# memory.reclaim, and zswap, which writes back. None of them is seen in the block layer. A write
# that is done at once (zram, brd) is left to them, and with handoff=never all writes are. Each page
# comes back right.
# guards: rust/helper/swap.rs rust/rows/handoff.rs qemu/patches/0002*
# faults: report books
# nbd: fast
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_memcg
need_nbd fast
BY=4 AT_ONCE=4 NEVER=4
start_test plan-at-end "everyone who reclaims hands over"
load_handoff
MIB=$(scaled 16)

# hands_over WHAT ORIGINS PAGES: checks that since the snapshot these origins handed over that many
# pages, kept none for themselves, and were not seen in the block layer. Makes 3 checks.
hands_over()
{
	quiesce
	snap after
	check_num "$1: pages were handed over" "$(delta handoff "($2)\\.taken\\.pages")" -ge "$3"
	check_eq "$1: none was left to the task that made it" \
		"$(delta handoff '[a-z_]*\.refused\.[a-z]*\.requests')" 0
	check_eq "$1: nobody submitted anything" "$(delta headroom "($2)\\.(bio|nbd|net)\\.count")" 0
}

# at_once NAME: makes pressure on a device that writes at once. Makes 3 checks, and is one itself.
at_once()
{
	local rc

	leave_mib 24
	snap before
	hog_start "$1" -m 512 -U 64 -c text
	hog_filled "$1"
	quiesce
	snap after
	check_eq "$1: nothing was taken" "$(delta handoff '[a-z_]*\.taken\.requests')" 0
	check_num "$1: the reason is that it writes at once" "$(delta handoff '[a-z_]*\.refused\.sync\.requests')" -gt 0
	check_eq "$1: there is no other reason" \
		"$(delta handoff '[a-z_]*\.refused\.(headroom|devices|fast|late|full|going)\.requests')" 0
	hog_done "$1"
	rc=$?
	drop_ballast
	return $rc
}

if zram_swap_on 256; then
	check "zram: every page is right" at_once zram
	swapoff /dev/zram0
else
	skip_checks $AT_ONCE "no zram"
fi
section "zram" $AT_ONCE
if brd_swap_on 128; then
	check "brd: every page is right" at_once brd
	swapoff /dev/ram0
else
	skip_checks $AT_ONCE "no brd"
fi
section "brd" $AT_ONCE

nbd_swap_on fast
snap before
hog_start pageout -m "$MIB" -p
hog_filled pageout
hands_over MADV_PAGEOUT madvise $((MIB * 200))
check "MADV_PAGEOUT: every page is right" hog_done pageout
section "MADV_PAGEOUT" $BY

cg_make rwb-origins
snap before
hog_in "$CG/rwb-origins" reclaim -m "$MIB"
hog_filled reclaim
echo "$((MIB / 2))M" > "$CG/rwb-origins/memory.reclaim"
hands_over memory.reclaim memcg_reclaim $((MIB * 100))
check "memory.reclaim: every page is right" hog_done reclaim
section "memory.reclaim" $BY

snap before
echo "$((MIB / 2))M" > "$CG/rwb-origins/memory.max"
hog_in "$CG/rwb-origins" max -m "$MIB"
hog_filled max
hands_over memory.max memcg_max $((MIB * 100))
check "memory.max: every page is right" hog_done max
section "memory.max" $BY

if is_debug_kernel; then
	skip_checks $((BY + NEVER)) "this takes too long on a kernel with checkers"
	section "zswap and never" $((BY + NEVER))
	finish
fi
# If the pool is full, a worker of zswap writes back.
written_back()
{
	[ "$(($(vmstat zswpwb) - wrote))" -gt 256 ]
}

if [ -e /sys/module/zswap/parameters/enabled ] && zswap_on; then
	set_file /sys/module/zswap/parameters/max_pool_percent 1
	leave_mib 24
	snap before
	wrote=$(vmstat zswpwb)
	hog_start zswap -m $((24 + 4 * MIB)) -c random
	hog_filled zswap
	if loop_until 300 written_back; then
		hands_over zswap other 256
	else
		skip_checks 3 "zswap wrote nothing back"
	fi
	check "zswap: every page is right" hog_done zswap
	drop_ballast
	echo N > /sys/module/zswap/parameters/enabled
else
	skip_checks $BY "no zswap"
fi
section "zswap" $BY

# When it is off, reclaim works as it always has.
echo never > "$PARAMS/handoff"
check_eq "never: it is off" "$(handoff state)" off
leave_mib 24
snap before
hog_start never -m 512 -U $((MIB * 64))
hog_filled never
quiesce
snap after
check_num "never: reclaim writes" "$(delta writes '(direct|kswapd)\.anon\.io\.pages')" -gt 0
check_eq "never: handoff is not asked" "$(delta handoff \
	'[a-z_]*\.(taken|refused\.[a-z]*)\.requests')" 0
check "never: every page is right" hog_done never
section "never" $NEVER

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What is never handed off, and why, in the ledger's words: to devices that write at
# once (zram, brd), to zswap, for a cgroup's limit, for MADV_PAGEOUT and memory.reclaim.
# Reclaim does with it what it does without us, and every page comes back right.
# guards: rust/helper/swap.rs rust/rows/handoff.rs qemu/patches/0002*
# faults: report books
# nbd: fast
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_handoff
need_memcg
need_nbd fast
EACH=4
start_test $((7 * EACH)) "what is refused is written by reclaim itself"
load_handoff
MIB=$(scaled 16)

# only WHY LEAST: of what was asked since the snapshot, nothing was taken, and so much was
# refused for that reason; it was written, by others than a writer of ours. 3 checks.
only()
{
	quiesce
	snap after
	check_eq "$1: nothing was taken" "$(delta handoff '[a-z_]*\.taken\.folios')" 0
	check_num "$1: that is why" "$(delta handoff "[a-z_]*\\.refused\\.$1\\.folios")" -ge "$2"
	check_eq "$1: reclaim wrote it itself" \
		"$(delta writes 'writer\.(anon|shmem)\.[a-z]*\.pages')" 0
}

# Pressure by all, to a device of this kind.
at_once()
{
	local rc

	leave_mib 24
	snap before
	hog_start "$1" -m 512 -U 64 -c text
	hog_filled "$1"
	only sync 1
	hog_done "$1"
	rc=$?
	drop_ballast
	return $rc
}

if zram_swap_on 256; then
	check "zram: every page is right" at_once zram
	swapoff /dev/zram0
else
	skip_checks $EACH "no zram"
fi
if brd_swap_on 128; then
	check "brd: every page is right" at_once brd
	swapoff /dev/ram0
else
	skip_checks $EACH "no brd"
fi

nbd_swap_on fast
snap before
hog_start pageout -m "$MIB" -p
hog_filled pageout
only proactive $((MIB * 200))
check "MADV_PAGEOUT: every page is right" hog_done pageout

cg_make rwb-refused
snap before
hog_in "$CG/rwb-refused" reclaim -m "$MIB"
hog_filled reclaim
echo "$((MIB / 2))M" > "$CG/rwb-refused/memory.reclaim"
# Proactive reclaim of a cgroup is both: the first reason counts.
only '(cgroup|proactive)' $((MIB * 100))
check "memory.reclaim: every page is right" hog_done reclaim

snap before
echo "$((MIB / 2))M" > "$CG/rwb-refused/memory.max"
hog_in "$CG/rwb-refused" max -m "$MIB"
hog_filled max
only cgroup $((MIB * 100))
check "memory.max: every page is right" hog_done max

# Where each takes minutes: without those that only read a flag, as ho-policy has `never`.
if is_debug_kernel; then
	skip_checks $EACH "zswap: takes too long here"
elif [ -e /sys/module/zswap/parameters/enabled ] && zswap_on; then
	leave_mib 24
	snap before
	# It takes less memory than it frees; and KASAN's quarantine gives some back.
	hog_start zswap -m $((24 + 4 * MIB)) -c text
	hog_filled zswap
	only zswap 1
	check "zswap: every page is right" hog_done zswap
	drop_ballast
	echo N > /sys/module/zswap/parameters/enabled
else
	skip_checks $EACH "no zswap"
fi

if is_debug_kernel; then
	skip_checks $EACH "never: takes too long here"
	finish
fi
# Off: reclaim is as it always was.
echo never > "$PARAMS/handoff"
check_eq "never: it is off" "$(handoff state)" off
leave_mib 24
snap before
hog_start never -m 512 -U $((MIB * 64))
hog_filled never
quiesce
snap after
check_num "never: reclaim writes" "$(delta writes '(direct|kswapd)\.anon\.io\.pages')" -gt 0
check_eq "never: nothing is asked" "$(delta handoff \
	'[a-z_]*\.(taken|later\.[a-z]*|refused\.[a-z]*)\.folios')" 0
check "never: every page is right" hog_done never

finish

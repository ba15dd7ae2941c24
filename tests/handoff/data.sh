#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tasks do things to folios whose request is queued: fork and write to shared pages, exit, free
# (MADV_FREE), merge (KSM), move, and unmap, with huge pages and shared memory. An administrator
# does others: compaction, and swapoff of a device that is being written to. No page is ever lost,
# stale or another's.
# tier: all (handoff/switch.sh has the checkers and the content)
# guards: rust/helper/swap.rs rust/helper/swap/ rust/kernel_ext/swap.rs rust/shim/helper.c rust/shim/compat.h qemu/patches/0002*
# faults: data lifetime
# nbd: delay
# disk: 512M
# numa: 2
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_nbd delay
need_disk disk0
SECONDS_EACH=12 LEAVE=48 KINDS="anon huge shmem" MIX_MIB=40
# On that kernel swapoff takes minutes, and huge pages are soon small ones.
! is_debug_kernel || SECONDS_EACH=6 LEAVE=28 KINDS="huge shmem" MIX_MIB=20
start_test plan-at-end "what tasks do to folios that are queued"
load_handoff
if [ -e /sys/kernel/mm/ksm/run ]; then
	set_file /sys/kernel/mm/ksm/run 1
	set_file /sys/kernel/mm/ksm/sleep_millisecs 20
	set_file /sys/kernel/mm/ksm/pages_to_scan 500
else
	say "no KSM in this kernel"
fi
# swapoff holds a task's mmap_lock while it reads all that the task has swapped out, and khugepaged
# waits for that. This takes minutes on a slow machine. What hangs for good is ended by the script's
# own limit.
HUNG=/proc/sys/kernel/hung_task_timeout_secs
[ ! -e $HUNG ] || set_file $HUNG 600
disk_attach disk0
SPARE=$DISK
mkswap "$SPARE" > /dev/null || bail "mkswap $SPARE"
# This disk is used after the other device, as long as both are there.
nbd_swap_on delay

# disturbs PID: compacts, and swaps off the device that is in use, until that task ends.
disturbs()
{
	while kill -0 "$1" 2> /dev/null; do
		echo 1 > /proc/sys/vm/compact_memory 2> /dev/null
		swapon "$SPARE" 2> /dev/null
		# The pages of the device come back, and go to the other one.
		swapoff "$NBD_DEV" 2> /dev/null && offs=$((offs + 1))
		swapon "$NBD_DEV" 2> /dev/null
		swapoff "$SPARE" 2> /dev/null && offs=$((offs + 1))
		sleep 0.3
	done
}

# mixes KIND: repeats the load until devices were swapped off and requests handed off meanwhile.
mixes()
{
	local rounds=6 before

	before=$(handed '[a-z_]*\.taken\.requests')
	offs=0 taken=0
	while [ $offs = 0 ] || [ $taken = 0 ]; do
		[ $rounds -gt 0 ] || return 0
		rounds=$((rounds - 1))
		mix "$1" || return 1
		taken=$(($(handed '[a-z_]*\.taken\.requests') - before))
	done
}

mix()
{
	local options='' pid rc

	case $1 in
	huge) options=-H ;;
	shmem) options=-t ;;
	esac
	# shellcheck disable=SC2086 # an option, or nothing
	"$BIN/swapmix" -n 2 -m $MIX_MIB -T $SECONDS_EACH $options > "$TMP/mix" 2>&1 &
	pid=$!
	disturbs $pid
	wait $pid
	rc=$?
	show_lines "$1: " < "$TMP/mix"
	[ $rc = 0 ] && [ "$(grep -c 'verified [1-9][0-9]* pages, 0 bad' "$TMP/mix")" = 2 ]
}

kills=$(vmstat oom_kill)
for kind in $KINDS; do
	# The ballast is made anew each time, as others free memory meanwhile: KASAN's quarantine
	# does.
	drop_ballast
	leave_mib $LEAVE
	check "$kind: every page was right" mixes "$kind"
	check_num "$kind: devices were swapped off meanwhile" "$offs" -gt 0
	check_num "$kind: requests were handed off" "$taken" -gt 0
	check_handoff_books "$kind"
done
section "the kinds of memory" $(($(echo "$KINDS" | wc -w) * (3 + HANDOFF_BOOKS)))

check_eq "nobody was killed" "$(($(vmstat oom_kill) - kills))" 0
section "kills" 1
undo "swapoff $SPARE 2> /dev/null"

finish

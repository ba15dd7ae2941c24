#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The link is slow, and more memory is in use than there is. Reclaim hands all swap-out over. No
# task is seen in the block layer or below, and the deepest stack ends where a request is handed
# over. Without handoff tasks are seen there under the same load, and their longest page fault is
# longer.
# guards: rust/helper/swap/ rust/policy/link.rs rust/policy/idle.rs qemu/patches/0002*
# faults: progress arithmetic
# nbd: slow
# mem: 384M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_nbd slow
# A guest with checkers has less memory to spare, and the times that it takes mean nothing.
MIB=200 SECONDS_EACH=10 COMPARE=yes
! is_debug_kernel || MIB=80 SECONDS_EACH=4 COMPARE=no
start_test plan-at-end "all swap-out over a slow link is handed off"
nbd_swap_on slow
# Its reserves are 1.8 MiB, less than the lists of the CPUs hold. Once all of it was gone before a
# page had left, and the network had no memory to receive with.
! is_debug_kernel || vm min_free_kbytes 8192
leave_mib $((MIB * 3 / 2))

# under_load NAME SEEN: repeats a load of two tasks until SEEN succeeds. The numbers are in
# $TMP/load.NAME.
under_load()
{
	local rounds=6

	while [ $rounds -gt 0 ]; do
		rounds=$((rounds - 1))
		"$BIN/swapload" -n 2 -m $MIB -T $SECONDS_EACH > "$TMP/load.$1" 2>&1
		swapload_verified "$1" $? || return 1
		! "$2" || return 0
	done
}

tasks_seen()
{
	[ "$(below direct)" -gt 0 ]
}

all_seen()
{
	[ "$(handed 'direct\.taken\.requests')" -gt 0 ] &&
		[ "$(handed 'kswapd\.taken\.requests')" -gt 0 ] &&
		[ "$(handed 'direct\.waits')" -gt 0 ] &&
		[ "$(sum "$LEDGER/headroom" 'writer\.bio\.count')" -gt 0 ]
}

of()
{
	awk -v k="swap.$2" '$1 == k { print $2 }' "$TMP/load.$1"
}

if [ $COMPARE = yes ]; then
	load_mod write_around=N
	check "without handoff: every touch was right" under_load stock tasks_seen
	quiesce
	check_num "without handoff: tasks are seen in the block layer" "$(below direct)" -gt 0
	section "without handoff" 2
	unload_mod
fi

kills=$(vmstat oom_kill)
load_handoff
check "every touch was right" under_load handoff all_seen
section "with handoff" 1
check_handoff_books "slow link"
section "books" "$HANDOFF_BOOKS"
check_eq "nobody was killed" "$(($(vmstat oom_kill) - kills))" 0
check_num "requests were handed off by tasks" "$(handed 'direct\.taken\.requests')" -gt 0
check_num "requests were handed off by kswapd" "$(handed 'kswapd\.taken\.requests')" -gt 0
check_num "tasks waited for room" "$(handed 'direct\.waits')" -gt 0
check_eq "none was left to the task that made it" "$(handed '[a-z_]*\.refused\.[a-z]*\.requests')" 0
check_eq "no task is seen in the block layer, nor kswapd" "$(below 'direct|kswapd')" 0
check_num "the writer is seen there" "$(sum "$LEDGER/headroom" 'writer\.bio\.count')" -gt 0
section "who writes" 7

# This counts from the entry to the kernel by a fault, or else by a system call, to the deepest
# frame. It leaves out what lies below the entry's registers.
depth=$(awk '$1 == "direct.handoff.depth" { print $2 }' "$LEDGER/stacks")
entry=$(awk '/^direct\.handoff\.frame\.[0-9]+ / {
		if (found) n += $2
		else if ($3 ~ /^(asm_exc_page_fault|entry_SYSCALL_64|ret_from_fork_asm|el0t_64_sync\+)/) { found = 1; n = $2 }
	} END { print n + 0 }' "$LEDGER/stacks")
grep '^direct\.handoff\.frame\.' "$LEDGER/stacks" | show_lines "  "
# If there is no such stack, that must not pass for a flat one.
beyond=missing
[ "${depth:-0}" = 0 ] || [ "$entry" = 0 ] || beyond=$((depth - entry))
if is_debug_kernel; then
	skip_checks 1 "checkers make frames larger"
else
	check_num "the deepest stack beyond the entry to the kernel, bytes" "$beyond" -le 3000
fi
section "the deepest stack" 1
if [ $COMPARE = yes ]; then
	by_chance check_num "the longest touch takes no longer than without handoff, us" \
		"$(of handoff longest_us)" -le "$(of stock longest_us)"
	section "the longest touch" 1
fi

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Swap over a slow link: where does the time of tasks go that wait for memory? Without handoff it
# goes to the lock and the socket of the NBD connection. With handoff it goes to the wait for the
# writer, and no task that wants memory is seen in NBD. The ledger is compared with /proc/vmstat and
# PSI.
# guards: rust/ledgers/stalls.rs rust/probes/stall.rs rust/shim/probes_wait.c rust/entry/stall.rs rust/shim/stall.rs rust/probes/vmscan.rs
# faults: books origin
# nbd: slow
# mem: 384M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_nbd slow
need_memcg
need_file /proc/pressure/memory CONFIG_PSI
# Each of them is long.
ENOUGH_STALLS=20
SIDES=1 MIB=150 SECONDS_EACH=5
! is_debug_kernel || MIB=40 SECONDS_EACH=3
! grep -q ' swap_write_prepared$' /proc/kallsyms || SIDES=2
start_test plan-at-end "stalls on swap over a slow link"
# MGLRU counts only the pages that it isolates as scanned.
lru classic || bail "no classic LRU"
nbd_swap_on slow
# The reason is in handoff/slow.sh.
! is_debug_kernel || vm min_free_kbytes 8192
leave_mib $((MIB * 3 / 2))

# under_load NAME
under_load()
{
	local rc load

	reclaim_counters before
	cg_make "rwb-$1"
	cgroup="cgroup\\.$(cg_id "rwb-$1")"
	rm -f "$TMP/enough"
	in_cg "$CG/rwb-$1" "$BIN/swapload" -n 2 -m $MIB -T $SECONDS_EACH -G "$TMP/enough" > "$TMP/load.$1" 2>&1 &
	load=$!
	loop_until 1200 direct_stalls || say "too few stalls"
	touch "$TMP/enough"
	wait $load
	rc=$?
	some=$(psi some "$CG/rwb-$1/memory.pressure")
	quiesce
	reclaim_counters after
	swapload_verified "$1" $rc
}

# books NAME
books()
{
	check_stall_books "$1" direct "$ENOUGH_STALLS"
	section "$1: books" "$STALL_BOOKS"
	check_longest
	section "$1: the longest" "$LONGEST"
	check_counters
	section "$1: counters" "$COUNTERS"
}

load_mod write_around=N handoff=never
check "without handoff: every touch was right" under_load never
section "without handoff: content" 1
books "without handoff"
check_num "share of their waits for NBD's lock and socket, per cent" "$(of_waits direct nbd_lock nbd_send)" -ge 50
# There are two tasks. The time that both lose at once is pressure only once. The time that one
# loses while the other runs counts half, as PSI is a mean of the CPUs. PSI also counts swap-in.
check_num "PSI has four tenths of what their stalls took, or more" "$((some * 1000))" -ge \
	"$(($(stalled "$cgroup\\.ns" stalls_cgroups) * 4 / 10))"
check_num "a stall has its gfp flags" \
	"$(grep -c ' gfp=0x[0-9a-f]*[1-9a-f][0-9a-f]* ' "$TMP/stalls_longest")" -gt 0
# kswapd's windows are its work, and are among the longest here.
check_eq "none of the longest stalls is kswapd's" \
	"$(grep -c ' origin=kswapd ' "$TMP/stalls_longest")" 0
section "without handoff: waits, PSI, flags" 4
unload_mod

if [ $SIDES = 2 ]; then
	load_handoff
	check "with handoff: every touch was right" under_load handoff
	section "with handoff: content" 1
	handoff_quiet
	books "with handoff"
	by_chance check_num "share of their waits for the writer, per cent" "$(of_waits direct throttle_writeback)" -ge 50
	refused=$(handed 'direct\.refused\.[a-z]*\.requests')
	if [ "$refused" = 0 ]; then
		check_eq "no stall waited in NBD" "$(stalled 'direct\.part\.nbd_(lock|send)\.ns')" 0
		check_eq "no stall waited for a tag" "$(part direct tag_wait)" 0
	else
		skip_checks 2 "$refused requests were refused"
	fi
	section "with handoff: waits" 3
	unload_mod
fi

finish

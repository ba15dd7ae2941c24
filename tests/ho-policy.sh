#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# When swap-out is handed off: the policy and its floor, their bounds, at load and at run
# time; and that both can change, and the module can go, while reclaim hands off.
# guards: rust/params.rs rust/helper/swap.rs rust/shim/reclaim.rs rust/policy/handoff.rs
# faults: lifetime locking report
# nbd: fast
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_handoff
need_nbd fast
GOOD="handoff=never handoff=low-headroom handoff=always handoff_floor=0 handoff_floor=16384"
BAD="handoff=sometimes handoff= handoff=1 handoff_floor=-1 handoff_floor=1000000 handoff_floor=x"
SWITCHES=20 SECONDS_EACH=25
! is_debug_kernel || SWITCHES=5 SECONDS_EACH=35
start_test $((5 + 2 * 6 + 5 + HANDOFF_BOOKS + 4)) "the policy of handoff"

# shellcheck disable=SC2086 # one a word
check_loads $GOOD
# shellcheck disable=SC2086
check_refuses $BAD
load_handoff
# shellcheck disable=SC2086
check_writes_refused $BAD

# --- low-headroom: no sample is above the stack's size, none below 0

nbd_swap_on fast
set_to handoff=low-headroom
set_to handoff_floor=0
snap before
check "floor 0: every page is right" pressure anon
snap after
check_eq "nothing is handed off" "$(delta handoff '[a-z_]*\.taken\.folios')" 0
check_num "as there is enough stack" "$(delta handoff '[a-z_]*\.refused\.headroom\.folios')" -gt 0
set_to "handoff_floor=$(row headroom stack.size)"
snap before
check "floor of a whole stack: every page is right" pressure anon
snap after
check_num "all is handed off" "$(delta handoff '[a-z_]*\.taken\.folios')" -gt \
	"$((100 * $(delta handoff '[a-z_]*\.refused\.[a-z]*\.folios')))"

# --- under load

# switches: to each policy and back, while reclaim is at it.
switches()
{
	local i=0

	while [ $i -lt $SWITCHES ]; do
		for mode in never always low-headroom; do
			set_to handoff=$mode || return 1
			sleep 0.05
		done
		i=$((i + 1))
	done
}

# more_than N: folios that were handed off.
more_than()
{
	[ "$(handed '[a-z_]*\.taken\.folios')" -gt "$1" ]
}

verified()
{
	wait $load
	swapload_verified switched $?
}

leave_mib 32
"$BIN/swapload" -n 2 -m 48 -T $SECONDS_EACH > "$TMP/load.switched" 2>&1 &
load=$!
before=$(handed '[a-z_]*\.taken\.folios')
loop_until 600 more_than "$before" || bail "nothing is handed off"
check "the policy changes under load" switches
check "the module is unloaded under load" unload_mod
load_handoff
check "loaded again, folios are handed off" loop_until 600 more_than 0
check "every touch was right" verified
check_handoff_books "after all that"
drop_ballast

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The policy of handoff changes, and the module is unloaded and loaded again, while reclaim hands
# off. Every page stays right, and the books balance.
# guards: rust/helper/swap.rs rust/helper/swap/ rust/control/helper.rs rust/kernel_ext/reclaim.rs rust/kernel_ext/kthread.rs
# faults: lifetime locking data
# nbd: fast
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_nbd fast
SWITCHES=20 MIB=48
! is_debug_kernel || SWITCHES=2 MIB=24
start_test $((4 + HANDOFF_BOOKS)) "handoff is switched under load"
load_handoff
nbd_swap_on fast

# switches: sets each policy in turn while reclaim works.
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

# more_than N: were more requests handed off?
more_than()
{
	[ "$(handed '[a-z_]*\.taken\.requests')" -gt "$1" ]
}

# verified: the load ends when it is asked to, however long the rest took.
verified()
{
	: > "$TMP/enough"
	wait $load
	swapload_verified switched $?
}

leave_mib 32
"$BIN/swapload" -n 2 -m $MIB -T 1 -G "$TMP/enough" > "$TMP/load.switched" 2>&1 &
load=$!
before=$(handed '[a-z_]*\.taken\.requests')
loop_until 600 more_than "$before" || bail "nothing is handed off"
check "the policy changes under load" switches
check "the module is unloaded under load" unload_mod
load_handoff
check "after the load of the module requests are handed off" loop_until 600 more_than 0
check "every touch was right" verified
check_handoff_books "after all that"
drop_ballast

finish

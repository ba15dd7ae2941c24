#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# When is swap-out handed off? The policy and its floor have bounds, at load and at run time.
# (handoff/switch.sh changes them while reclaim hands off.)
# guards: rust/control/parameters.rs rust/control/helper.rs rust/settings.rs rust/helper/swap.rs rust/policy/handoff.rs
# faults: report
# nbd: fast
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_nbd fast
GOOD="handoff=never handoff=low-headroom handoff=always handoff_floor=0 handoff_floor=16384"
BAD="handoff=sometimes handoff= handoff=1 handoff_floor=-1 handoff_floor=1000000 handoff_floor=x"
start_test plan-at-end "the policy of handoff"

# shellcheck disable=SC2086 # one a word
check_loads $GOOD
section "loads" 5
# shellcheck disable=SC2086
check_refuses $BAD
section "refuses to load" 6
load_handoff
# shellcheck disable=SC2086
check_writes_refused $BAD
section "refuses to change" 6

# --- low-headroom: no sample is above the size of the stack, and none is below 0

nbd_swap_on fast
set_to handoff=low-headroom
set_to handoff_floor=0
snap before
check "floor 0: every page is right" pressure anon
snap after
check_eq "floor 0: nothing is handed off" "$(delta handoff '[a-z_]*\.taken\.requests')" 0
check_num "floor 0: the reason is that there is enough stack" "$(delta handoff '[a-z_]*\.refused\.headroom\.requests')" -gt 0
section "floor 0" 3
set_to "handoff_floor=$(row headroom stack.size)"
snap before
check "floor of a whole stack: every page is right" pressure anon
snap after
check_num "floor of a whole stack: requests are handed off" "$(delta handoff '[a-z_]*\.taken\.requests')" -gt 0
check_eq "floor of a whole stack: none is refused" "$(delta handoff '[a-z_]*\.refused\.[a-z]*\.requests')" 0
section "floor of a whole stack" 3

finish

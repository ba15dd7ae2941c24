#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that is faster than its writer, with a queue for each CPU: tasks on 4 CPUs soon submit to
# it themselves. Nothing goes past the writer if less stack than handoff_floor is left, or if the
# device takes its time. Each page comes back right.
# guards: rust/policy/bypass.rs rust/helper/swap.rs rust/helper/swap/lane.rs
# faults: books data
# smp: 4
# mem: 768M
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_null
# Otherwise a request to null_blk takes until the next tick.
grep -Eq '[.]hres_active *: 1$' /proc/timer_list || skip_all "the timers of this machine have a low resolution"
start_test plan-at-end "a device that is faster than its writer"
load_handoff
FAST='[a-z_]*\.refused\.fast\.requests'
FLOOR=$(cat "$PARAMS/handoff_floor")

passed()
{
	[ "$(handed "$FAST")" -gt 32 ]
}

# handed_over: were ENOUGH requests handed over since the snapshot?
handed_over()
{
	snap after
	[ "$(delta handoff '[a-z_]*\.taken\.requests')" -gt "$ENOUGH" ]
}

null_swap_on nullb0 192 20000
leave_mib 64
check "requests went past the writer, and every page is right" press_until 120 passed -n 4 -m 32 -c random
quiesce
check_handoff_books "fast"
check_eq "there was no other reason" "$(handed '[a-z_]*\.refused\.(sync|headroom|devices|late|full|going)\.requests')" 0
section "a fast device" $((HANDOFF_BOOKS + 2))

# No task has a whole stack left. As many requests as before are handed over: by then some went past
# the writer.
ENOUGH=$(handed '[a-z_]*\.taken\.requests')
is_number "$ENOUGH" || bail "nothing was handed over"
set_to "handoff_floor=$(row headroom stack.size)"
snap before
check "with a floor of a whole stack, every page is right" press_until 120 handed_over -n 4 -m 32 -c random
snap after
check_eq "no request went past the writer" "$(delta handoff "$FAST")" 0
set_to "handoff_floor=$FLOOR" || bail "handoff_floor=$FLOOR is refused"
section "the floor" 2

ENOUGH=1000
swapoff /dev/nullb0 || bail "swapoff"
rmdir "$CONFIGFS/nullb/nullb0"
null_swap_on nullb1 192 5000000
snap before
check "on a slow device, every page is right" press_until 120 handed_over -n 4 -m 32 -c random
snap after
check_eq "no request went past its writer" "$(delta handoff "$FAST")" 0
quiesce
check_handoff_books "slow"
section "a slow device" $((HANDOFF_BOOKS + 2))

finish

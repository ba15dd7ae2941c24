#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the swap-*.sh here share. This is no scenario itself. Tasks fill more memory than there is,
# then touch random pages of it, and reclaim swaps out over NBD what they wait for.
#
#	NBD=NAME	the server, as in the scenario's "# nbd:"
#	TASKS=N MIB=N	that many tasks, each of that size
#	PERCENT=N	instead of MIB: the size of all of them, in per cent of the guest's memory
#	SECONDS_EACH=N	how long they touch pages
#	WRITES=N	percent of the touches that write
#	ORDER=N		one more task takes and gives back folios of that order meanwhile
#	CGROUP=MIB	the tasks are in a cgroup with that limit
#	NEIGHBOUR=MIB	one more task, outside the cgroup, takes that much, touches it, and gives
#			it back, over and over
. "$(dirname "$0")/lib.sh"

[ -z "${PERCENT:-}" ] || MIB=$(($(mem_mib MemTotal) * PERCENT / 100 / TASKS))

CHECKS=1
[ -z "${NEIGHBOUR:-}" ] || CHECKS=2
set_up_swap $CHECKS "swap to '$NBD', $TASKS tasks of $MIB MiB"
fact tasks "$TASKS"
fact task_mib "$MIB"
[ -z "${ORDER:-}" ] || high_order_on "$ORDER"
[ -z "${CGROUP:-}" ] || in_limit "$CGROUP"
[ -z "${NEIGHBOUR:-}" ] || neighbour_on "$NEIGHBOUR"

swap_load -n "$TASKS" -m "$MIB" -T "${SECONDS_EACH:-20}" -W "${WRITES:-0}" ${ORDER:+-O "$ORDER"}
[ -z "${NEIGHBOUR:-}" ] || neighbour_off

finish

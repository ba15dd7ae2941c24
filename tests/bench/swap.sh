#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the swap-*.sh here share; no scenario itself. Tasks fill more memory than there
# is, then touch random pages of it: reclaim swaps out over NBD what they wait for.
#
#	NBD=NAME	the server, as in the scenario's "# nbd:"
#	TASKS=N MIB=N	so many, each so large
#	PERCENT=N	instead of MIB: all of them together, of the guest's memory
#	SECONDS_EACH=N	touch for so long
#	WRITES=N	percent of the touches that write
#	ORDER=N		one more task takes and gives back folios of that order meanwhile
#	CGROUP=MIB	the tasks are in a cgroup that may have so much
#	NEIGHBOUR=MIB	one more task, outside of it, takes so much, touches it, and gives it
#			back, over and over
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

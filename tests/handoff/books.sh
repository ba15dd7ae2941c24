#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Handoff under pressure, over NBD, with the classic LRU and with MGLRU, of anonymous memory, shared
# memory, both, and huge pages. Every page comes back right, everything that was taken is accounted
# for, and the write ledger agrees with the kernel to the page.
# guards: rust/ledgers/handoff.rs rust/helper/swap.rs rust/helper/swap/ rust/rows/handoff.rs qemu/patches/0002*
# faults: books data
# tier: all (handoff/slow.sh and handoff/switch.sh have the same books, handoff/switch.sh the content)
# nbd: fast
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_nbd fast
CLASSIC="anon shmem huge" MGLRU="mixed huge"
# On that kernel each load takes a minute.
! is_debug_kernel || CLASSIC=mixed MGLRU=huge
start_test plan-at-end "handoff's books"
load_handoff
nbd_swap_on fast

# loads LRU TYPE...: makes that many checks for each type.
EACH=$((1 + HANDOFF_BOOKS + BOOKS + 3))
loads()
{
	local lru="$1" type options

	shift
	if ! lru "$lru"; then
		skip_checks $(($# * EACH)) "no $lru LRU"
		set --
	fi
	for type; do
		options=
		# A third of the time the rest of a huge page is in use when it goes.
		[ "$type" != huge ] || options=-H
		snap before
		# shellcheck disable=SC2086 # an option, or nothing
		check "$lru, $type: every page came back right" \
			pressure "$([ "$type" = huge ] && echo anon || echo "$type")" $options
		check_handoff_books "$lru, $type"
		quiesce
		snap after
		check_books
		check_num "$lru, $type: requests were handed off" \
			"$(delta handoff '[a-z_]*\.taken\.requests')" -gt 0
		# Two kinds are excepted: those that were made while the device was late, which
		# takes a second, and those of tasks that may not wait.
		check_eq "$lru, $type: none was left to the task that made it" \
			"$(delta handoff '[a-z_]*\.refused\.(headroom|devices|fast|going)\.requests')" 0
		if [ "$(delta handoff '[a-z_]*\.refused\.(late|full)\.requests')" = 0 ]; then
			check_eq "$lru, $type: their pages are those that were written to a device" \
				"$(delta handoff '[a-z_]*\.taken\.pages')" \
				"$(delta writes '[a-z_]*\.(anon|shmem)\.io\.pages')"
		else
			skip_checks 1 "the device was late, or some tasks may not wait"
		fi
	done
}

# shellcheck disable=SC2086 # a list
loads classic $CLASSIC
section "the classic LRU" $(($(echo "$CLASSIC" | wc -w) * EACH))
# shellcheck disable=SC2086 # a list
loads mglru $MGLRU
section "MGLRU" $(($(echo "$MGLRU" | wc -w) * EACH))

finish

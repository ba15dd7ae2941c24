#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin direct: two tasks allocate faster than kswapd frees. kswapd writes as
# well, so the ledger is held, folio by folio, against a replay of the kernel's
# own trace: a write belongs to its task's innermost open window.
# guards: rust/origin.rs rust/windows.rs rust/tasks.rs rust/policy/nest.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
start_test $((ORIGIN_CHECKS + BOOKS + 4)) "writes by direct reclaim"
load_mod
zram_swap_on 256

# Enough that kswapd alone cannot do it; zram carries it on any kernel.
# shellcheck disable=SC2034
is_debug_kernel || ENOUGH=7168

# provoke: pressure until a task had to write for itself; more each time.
provoke()
{
	local try=0

	while [ "$try" -lt 6 ]; do
		pressure anon -c text || return 1
		[ "$(row writes direct.anon.sync.pages)" = 0 ] || return 0
		ENOUGH=$((ENOUGH + 2048)) try=$((try + 1))
	done
}

# with_direct DESCRIPTION LEDGER_ROW: the row grew. Checkers slow the tasks down so
# much that kswapd may keep up: the kernel itself must say so to excuse the ledger.
with_direct()
{
	if is_debug_kernel && [ "$(delta vmstat pgscan_direct)" = 0 ]; then
		ktap_test_skip "$1 (kswapd kept up on this debug kernel)"
	else
		by_chance check_num "$1" "$(delta writes "$2")" -gt 0
	fi
}

trace_windows
snap before
check "every page came back right" provoke
quiesce
snap after
with_direct "direct.anon.sync.pages has writes" 'direct\.anon\.sync\.pages'
with_direct "direct.windows" 'direct\.windows'
with_direct "direct.reclaimed" 'direct\.reclaimed'
check_origins
check_books

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin direct: two tasks allocate faster than kswapd frees. kswapd writes as
# well, so the ledger is held, folio by folio, against a replay of the kernel's
# own trace: a write belongs to its task's innermost open window.
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
start_test $((ORIGIN_CHECKS + BOOKS + 4)) "writes by direct reclaim"
load_mod
zram_swap_on 256

# Enough that kswapd alone cannot do it; zram carries it on any kernel.
# shellcheck disable=SC2034
EXCESS=28
trace_windows
snap before
check "every page came back right" pressure anon -c text
quiesce
snap after
check_num "direct.anon.sync.pages has writes" \
	"$(delta writes 'direct\.anon\.sync\.pages')" -gt 0
check_num "direct.windows" "$(delta writes 'direct\.windows')" -gt 0
check_num "direct.reclaimed" "$(delta writes 'direct\.reclaimed')" -gt 0
check_origins
check_books

finish

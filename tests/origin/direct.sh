#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin direct: two tasks reclaim for themselves, as the watermarks go up. kswapd writes as well,
# so the ledger is compared, folio by folio, with a replay of the kernel's own trace: a write
# belongs to the innermost window that its task has open.
# guards: rust/words/origin.rs rust/ledgers/windows.rs rust/tables/tasks.rs rust/policy/nest.rs rust/tables/farthest.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
start_test plan-at-end "writes by direct reclaim"
load_mod
zram_swap_on 256

# direct_scans: does the kernel say that both write, and that they write much?
direct_scans()
{
	awk '$1 == "pgsteal_direct" { d = $2 } $1 == "pgsteal_kswapd" { k = $2 }
		$1 == "pswpout" { n = $2 } END { exit !(d >= 256 && k >= 256 && n >= 2048) }' /proc/vmstat
}

direct_wrote()
{
	direct_scans && [ "$(row writes direct.anon.sync.pages)" != 0 ]
}

leave_mib "$LEFT"
trace_windows
snap before
check "every page came back right" press_until 120 direct_wrote -n 2 -m "$LEFT" -c text
quiesce
snap after
check_num "direct.anon.sync.pages has writes" "$(delta writes 'direct\.anon\.sync\.pages')" -gt 0
check_num "direct reclaim had windows" "$(delta writes 'direct\.windows')" -gt 0
check_num "direct reclaim freed pages" "$(delta writes 'direct\.reclaimed')" -gt 0
section "direct reclaim" 4
check_origins
section "origins" "$ORIGIN_CHECKS"
check_books
section "books" "$BOOKS"

finish

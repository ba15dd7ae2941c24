#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Nothing is leaked: kmemleak, which is off elsewhere as it costs most, watches a
# few loads, some recording and the unloads. Shares its guest with kunit.sh.
# guards: rust/reclaimwb_main.rs rust/helper.rs rust/observer.rs rust/kernel_ext/ rust/shim/
# faults: lifetime memory
# variants: debug
# append: kunit.enable=1 kunit.autorun=1 kmemleak=on
# timeout: 400
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
[ -e /sys/kernel/debug/kmemleak ] || skip_all "no CONFIG_DEBUG_KMEMLEAK"
start_test 3 "leaks"

loads=0
while [ "$loads" -lt 3 ]; do
	load_mod
	cat "$LEDGER"/* > "$TMP/ledgers"
	unload_mod
	loads=$((loads + 1))
done

load_mod
brd_swap_on 64
check "workload runs" "$BIN/memhog" -p -c text -m "$(scaled 16)"
quiesce
check_num "writes were recorded" "$(row writes total.pages)" -gt 0
unload_mod
check_eq "kmemleak after $((loads + 1)) loads" "$(leak_scan)" clean

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel that lacks an event, and has changed another one. A special build of the module asks for
# two such events. It names them, marks what depends on them as unavailable, and the rest works. It
# also believes that the kernel has no place for a writeback helper.
# guards: rust/probes.rs rust/shim/conftest.sh rust/shim/check_event.c rust/rows/status.rs
# faults: report
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod reclaimwb_noevent
need_no_swap
start_test 17 "missing and changed events, no helper"

try_load reclaimwb_noevent || bail "insmod: $(cat "$TMP/insmod")"

check_num "one probe or more is missing" \
	"$(grep -c '^probe\..* missing$' "$LEDGER/status")" -ge 1
check_num "one probe or more has changed" \
	"$(grep -c '^probe\..* changed$' "$LEDGER/status")" -ge 1
check_num "a ledger is unavailable" \
	"$(grep -c '^ledger\..* unavailable$' "$LEDGER/status")" -ge 1
for state in missing changed; do
	event=$(awk -v s="$state" '/^probe\./ && $2 == s { sub(/^probe\./, ""); print $1; exit }' "$LEDGER/status")
	check "the log names $event, which is $state" \
		sh -c "dmesg | grep -q 'reclaimwb.*: .*${event:-no event}'"
done

check_eq "status: no helper" "$(row status helper)" unavailable
check_eq "ledger helper: none" "$(row helper state)" unavailable
check "the log says so" sh -c \
	"dmesg | grep -q 'reclaimwb.*: observer loaded; no writeback helper in this kernel'"

# cannot NAME=VALUE: does the log say that this kernel cannot do it, and does nothing change?
cannot()
{
	local old

	old=$(param "$1")
	! set_to "$1" && grep -q "Operation not supported" "$TMP/write" && [ "$(param "$1")" = "$old" ] &&
		console_since | grep -q "reclaimwb.*: ${1%%=*}: no writeback helper in this kernel"
}

# Writing the value that it has already succeeds.
for off in write_around=N handoff=never; do
	check "$off, as it is" set_to "$off"
done
for on in write_around=Y handoff=always handoff=low-headroom; do
	check "$on cannot be" cannot "$on"
done

check_eq "ledger writes is available" "$(row status ledger.writes)" available
zram_swap_on 64
snap before
check "workload runs" "$BIN/memhog" -p -c text -m 8
quiesce
snap after
check_num "reclaim wrote" "$(delta vmstat nr_vmscan_write)" -gt 0
check_eq "and the writes are counted" \
	"$(delta writes 'total\.pages')" "$(delta vmstat nr_vmscan_write)"

finish

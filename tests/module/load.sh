#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module loads, says what it attached to, has well-formed ledgers that only root can read and
# events that tracing tools can find, and unloads.
# guards: rust/reclaimwb_main.rs rust/entry.rs rust/entry/ rust/probes.rs rust/rows.rs rust/rows/status.rs rust/control.rs rust/control/boot.rs rust/ledgers.rs rust/tables.rs rust/shim.rs rust/shim/ rust/kernel_ext.rs rust/kernel_ext/ rust/words.rs rust/words/
# faults: report lifetime locking built-in unpatched
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
start_test 29 "load, ledgers, events, unload"
load_mod

PROBES="mm_vmscan_balance_pgdat_begin mm_vmscan_balance_pgdat_end
	mm_vmscan_direct_reclaim_begin mm_vmscan_direct_reclaim_end
	mm_vmscan_memcg_reclaim_begin mm_vmscan_memcg_reclaim_end
	mm_vmscan_node_reclaim_begin mm_vmscan_node_reclaim_end
	mm_vmscan_write_folio block_bio_queue net_dev_start_xmit"
for p in $PROBES; do
	check_eq "probe $p is attached" "$(row status "probe.$p")" attached
done
check_eq "format" "$(row status format)" 2
check_eq "enabled" "$(row status enabled)" 1
check_eq "ledger writes is available" "$(row status ledger.writes)" available
check_eq "ledger windows is available" "$(row status ledger.windows)" available

# bad_rows FILE: print the first row that is not "key value", or a key that is there twice.
bad_rows()
{
	awk '!/^[A-Za-z0-9_.:-]+ [^ ].*$/ || seen[$1]++ { print; exit }' "$1"
}

for f in status writes headroom stacks cgroups; do
	check_eq "$f has mode 0400" "$(stat -c %a "$LEDGER/$f")" 400
	check_eq "$f: every row is 'key value', every key unique" \
		"$(bad_rows "$LEDGER/$f")none" none
done

for e in reclaim_write reclaim_window headroom_low; do
	check "event reclaimwb:$e has a format" \
		grep -q "^	field:" "$TRACING/events/reclaimwb/$e/format"
done
# Tools of others read a name into 256 bytes.
check_eq "the longest name of a function has at most 255 bytes" \
	"$(awk '$4 == "[reclaimwb]" { n++; bad += length($3) > 255 }
		END { print (n > 0), bad + 0 }' /proc/kallsyms)" "1 0"

finish

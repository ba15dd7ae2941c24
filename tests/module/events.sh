#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module's own trace events tell, one by one, what the ledger adds up.
# guards: rust/shim/events.c rust/shim/events.h rust/kernel_ext/events.rs
# faults: report
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
start_test 9 "events against the ledger"
load_mod
zram_swap_on 64
M=$(scaled 16)
trace_start reclaimwb/reclaim_write reclaimwb/reclaim_window

cg_make rwb-events
hog_in "$CG/rwb-events" hog -c text -m "$M"
hog_filled hog
quiesce
echo > "$INSTANCE/trace"
snap before
echo "$((M / 2))M swappiness=max" > "$CG/rwb-events/memory.reclaim" 2> /dev/null
quiesce
snap after
cp "$INSTANCE/trace" "$TMP/trace"

# total NAME: the sum of that field.
total()
{
	awk -v f="$1=" '{ for (i = 1; i <= NF; i++)
			if (index($i, f) == 1) { s += substr($i, length(f) + 1); n++ } }
		END { print n ? s : "missing" }' "$TMP/trace"
}

check_num "there were writes" "$(delta writes 'total\.folios')" -gt 0
check_eq "no event was lost" "$(trace_lost)" 0
check_eq "one reclaim_write a folio" "$(grep -c ' reclaim_write: ' "$TMP/trace")" \
	"$(delta writes 'total\.folios')"
check_eq "their nr_pages are the pages" "$(total nr_pages)" "$(delta writes 'total\.pages')"
check_eq "they say origin, kind and type" \
	"$(grep -c ' reclaim_write: .*origin=memcg_reclaim .*kind=sync .*type=anon ' "$TMP/trace")" \
	"$(delta writes 'memcg_reclaim\.anon\.sync\.folios')"
check_eq "one reclaim_window a window" "$(grep -c ' reclaim_window: ' "$TMP/trace")" \
	"$(delta writes 'memcg_reclaim\.windows')"
check_eq "their nr_reclaimed is what was freed" "$(total nr_reclaimed)" \
	"$(delta writes 'memcg_reclaim\.reclaimed')"
check_eq "their pages_written are the pages" "$(total pages_written)" \
	"$(delta writes 'total\.pages')"
check "every page came back right" hog_done hog

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Folio order: a huge page that is swapped out whole is one folio of 512 pages.
# guards: rust/ledgers/writes.rs rust/probes/page.rs
# faults: books
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

THP=/sys/kernel/mm/transparent_hugepage
need_mod
need_no_swap
need_file "$THP/enabled" CONFIG_TRANSPARENT_HUGEPAGE
start_test plan-at-end "writes of large folios"
load_mod
brd_swap_on 64
check "huge pages on request" set_file "$THP/enabled" madvise
set_file "$THP/defrag" madvise
M=16

# The kernel may have no huge page to give at first.
for _ in 1 2 3 4 5; do
	page_out hog -H -m "$M"
	huge=$(delta vmstat thp_swpout)
	[ "$huge" = 0 ] || break
	hog_kill hog
	echo 1 > /proc/sys/vm/compact_memory
done
check_num "the kernel swapped huge pages whole" "$huge" -gt 0
check_eq "the ledger has as many folios of order 9" "$(delta writes 'madvise\.order\.9\.folios')" "$huge"
section "huge pages" 3
check_only madvise anon sync $((M * 200))
section "what was written" "$ONLY"
check_books
section "books" "$BOOKS"

# Folios by order have the same total as pages by node.
check_eq "the orders add up" "$(awk '
	NR == FNR { if ($1 ~ /\.order\./) old[$1] = $2; next }
	match($1, /\.order\.[0-9]+\.folios$/) {
		split(substr($1, RSTART), part, ".")
		pages = 1
		for (i = 0; i < part[3]; i++) pages *= 2
		n += ($2 - old[$1]) * pages
	}
	END { print n + 0 }' "$TMP/before/writes" "$TMP/after/writes")" \
	"$(delta writes 'total\.pages')"
check "every page came back right" hog_done hog
section "orders, and content" 2

finish

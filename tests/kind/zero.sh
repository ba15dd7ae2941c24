#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind zero: the kernel only takes a note of a page of zeroes.
# guards: rust/ledgers/writes.rs rust/probes/page.rs
# faults: books
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
start_test plan-at-end "writes of zero-filled pages"
load_mod
brd_swap_on 64

page_out hog -c zero -m "$(scaled 16)"
check_only madvise anon zero $(($(scaled 16) * 200))
section "what was written" "$ONLY"
check_books
section "books" "$BOOKS"
check "every page came back right" hog_done hog
section "content" 1

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind io: pages that are written to swap over NBD are queued as real I/O. Anonymous and shared
# memory are told apart.
# guards: rust/words/origin.rs rust/ledgers/writes.rs rust/probes/page.rs
# faults: books
# nbd: fast
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_nbd fast
start_test plan-at-end "real I/O over NBD"
load_mod
nbd_swap_on fast

# writes_of TYPE
writes_of()
{
	page_out "$1" -t "$1" -m "$(scaled 16)"
	check_only madvise "$1" io $(($(scaled 16) * 200))
	section "$1: what was written" "$ONLY"
	check_books
	section "$1: books" "$BOOKS"
	check "every $1 page came back right" hog_done "$1"
	section "$1: content" 1
}

writes_of anon
writes_of shmem

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind sync: a RAM disk and zram have the data when the call returns.
# guards: rust/ledgers/writes.rs rust/ledgers/repeats.rs rust/probes/page.rs rust/shim/inline.c
# faults: books
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
start_test plan-at-end "writes to synchronous devices"
load_mod

# writes_to DEVICE
writes_to()
{
	"${1}_swap_on" 64 || bail "no $1 swap"
	page_out hog -c text -m "$(scaled 16)"
	check_only madvise anon sync $(($(scaled 16) * 200))
	section "$1: what was written" "$ONLY"
	check_books
	section "$1: books" "$BOOKS"
	check "every page came back right from $1" hog_done hog
	section "$1: content" 1
	undo_all
}

writes_to brd
writes_to zram
# undo_all does not unload the module.
finish

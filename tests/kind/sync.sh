#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind sync: a RAM disk and zram have the data when the call returns.
# guards: rust/ledgers/writes.rs rust/probes/page.rs rust/shim/inline.c
# faults: books
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
start_test $((2 * (ONLY + BOOKS + 1))) "writes to synchronous devices"
load_mod

for device in brd zram; do
	${device}_swap_on 64 || bail "no $device swap"
	snap before
	hog_start hog -c text -m "$(scaled 16)" -p
	hog_filled hog
	quiesce
	snap after
	check_only madvise anon sync $(($(scaled 16) * 200))
	check_books
	check "every page came back right from $device" hog_done hog
	undo_all
done
# undo_all took nothing of the module's.
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind failed, for a device that ends its writes later: each fails after reclaim has gone on. It is
# charged to the task that reclaimed, even if a writer of ours has submitted it.
# guards: rust/ledgers/swap_io.rs rust/probes/block.rs rust/helper/swap.rs
# faults: books
# disk: 512M
# variants: base
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_disk disk0
need_dm flakey
start_test $((2 * (BOOKS + 6))) "a swap device whose writes fail"
disk_attach disk0
UNDER=$DISK
dm_make rwb-eio "$UNDER"
DEV=$DISK
DM=$(basename "$(readlink -f "/sys/dev/block/$(bdi_of "$DEV")")")
swap_on "$DEV"

# fails WHAT: makes BOOKS + 6 checks.
fails()
{
	local failed

	dm_table rwb-eio "$UNDER" flakey || bail "no disk that fails"
	page_out "$1" -c text -m "$(scaled 16)"
	failed=$(delta writes '[a-z_]*\.(anon|shmem)\.failed\.pages')
	check_num "$1: writes failed" "$failed" -gt $(($(scaled 16) * 200))
	check_eq "$1: all are charged to madvise" \
		"$(delta writes 'madvise\.(anon|shmem)\.failed\.pages')" "$failed"
	check_eq "$1: nothing was written" \
		"$(delta writes '[a-z_]*\.(anon|shmem)\.(io|sync)\.pages')" 0
	check_eq "$1: the ledger names the device" \
		"$(row writes "device.$DM.failed.pages")" "$failed"
	check_books
	dm_table rwb-eio "$UNDER" linear || bail "it stays broken"
	check "$1: every page is right" hog_done "$1"
	page_out "$1" -c text -m "$(scaled 16)"
	check_eq "$1: none fails when the device is well" \
		"$(delta writes '[a-z_]*\.(anon|shmem)\.failed\.pages')" 0
	hog_kill "$1"
}

# The device has no row before it fails.
load_mod handoff=never
fails stock
unload_mod

if grep -q ' swap_write_prepared$' /proc/kallsyms; then
	load_handoff
	fails handoff
else
	skip_checks $((BOOKS + 6)) "no handoff in this kernel"
fi

finish

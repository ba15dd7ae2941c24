#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Files are truncated, punched, unlinked and cloned while the worker writes. A seed chooses
# thousands of changes. They are replayed without I/O, and compared, from a cold cache, with what is
# on the disk. No page may be stale, and no page that was cut off may return.
# guards: rust/helper/file/worker.rs rust/kernel_ext/fs.rs rust/policy/window.rs
# faults: data
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk0
ROUNDS=$(scaled 1200)
CHECKS=$((AROUND_BOOKS + 4))
start_test $((3 * CHECKS + 1)) "truncate, holes, unlink and clones against the worker"
load_helper
disk_attach disk0
DEV=$DISK
keeps_pages
around_cg rwb-truncate 6

mutates()
{
	local clone=-c

	[ "$1" != ext4 ] || clone=
	fs_new "$1" "$DEV"
	snap before
	# shellcheck disable=SC2086 # may be empty
	check "$1: $ROUNDS changes" \
		file_in "$ACG" mutate -n 8 -p 2048 -r "$ROUNDS" $clone "$MNT/file"
	check "$1: each kind of change was made" grep -Eq "truncates [1-9].* holes [1-9].* clones ${clone:+[1-9]}.* unlinks [1-9]" \
		"$TMP/filehog"
	show_file "$TMP/filehog"
	around_quiet
	snap after
	check_num "$1: folios were queued meanwhile" "$(delta helper 'queued\.folios')" -gt 0
	check_around_books "$1"
	fs_cold "$DEV"
	# shellcheck disable=SC2086
	check "$1: the content is right from a cold cache" \
		proves mutate -V -n 8 -p 2048 -r "$ROUNDS" $clone "$MNT/file"
	fs_umount "$DEV"
}

for_fs $CHECKS mutates ext4 xfs btrfs
check_eq "the filesystems complain of nothing" "$(fs_complaints)" clean

finish

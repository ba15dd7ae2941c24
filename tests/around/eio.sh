#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Writes fail while the worker writes. fsync() reports the error to the owner of the file, nothing
# hangs, and the worker goes on when the disk is well again.
# guards: rust/helper/file/worker.rs rust/kernel_ext/fs.rs
# faults: data progress
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk1
need_dm
ROUNDS=$(scaled 8)
CHECKS=$((AROUND_BOOKS + 5))
start_test $((2 * CHECKS)) "I/O errors against the worker"
load_helper
disk_attach disk1
UNDER=$DISK
dm_make rwb-eio "$UNDER"
DEV=$DISK
keeps_pages
around_cg rwb-eio 6

# A file is written to the cache while the disk is well. Then its cgroup shrinks, and the worker,
# and nobody else, writes the file to a disk that fails.
one_round()
{
	local windows

	fs_new "$1" "$DEV"
	file write -y -p 512 -g "$THIS_ROUND" "$MNT/synced" || return 1
	around_cg_limit 12
	file_in "$ACG" write -p 1024 -o random "$MNT/file" || return 1
	# The error stays with the inode until someone is told of it.
	exec 7< "$MNT/file.0"
	dm_table rwb-eio "$UNDER" error || return 1
	windows=$(around windows)
	around_cg_limit 2
	around_quiet || return 1
	[ "$(around windows)" = "$windows" ] || tried=$((tried + 1))
	"$BIN/filehog" sync "$MNT/file" > "$TMP/filehog" 2>&1 ||
		! grep -q EIO "$TMP/filehog" || told=$((told + 1))
	exec 7<&-
	dm_table rwb-eio "$UNDER" linear || return 1
	fs_cold "$DEV"
	! proves verify -p 512 -g "$THIS_ROUND" "$MNT/synced" || right=$((right + 1))
	fs_umount "$DEV"
	return 0
}

errors()
{
	told=0 right=0 tried=0
	check "$1: $ROUNDS rounds" all_rounds one_round "$1"
	check_eq "$1: the worker wrote to the failing disk" "$tried" "$ROUNDS"
	check_eq "$1: fsync reported the error" "$told" "$ROUNDS"
	check_eq "$1: files that were synced before are there" "$right" "$ROUNDS"
	check_around_books "$1"
	fs_new "$1" "$DEV"
	check "$1: the worker goes on with the mended disk" goes_on
	fs_umount "$DEV"
}

goes_on()
{
	local windows

	around_cg_limit 6
	windows=$(around windows)
	file_in "$ACG" write -p 3072 -o random "$MNT/file" && [ "$(around windows)" -gt "$windows" ]
}

for_fs $CHECKS errors ext4 xfs

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Writes fail while the worker writes: the error is not eaten, fsync() reports it to
# whoever owns the file; nothing hangs, the worker goes on when the disk is well.
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

# A file is written to the cache while the disk is well; then its cgroup shrinks, and
# the worker, nobody else, writes it to a disk that fails.
one_round()
{
	local windows

	fs_new "$1" "$DEV"
	file write -y -p 512 -g "$ROUND" "$MNT/synced" || return 1
	around_cg_limit 12
	file_in "$ACG" write -p 1024 -o random "$MNT/file" || return 1
	# As long as nobody was told of it, the error stays with the inode.
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
	! proves verify -p 512 -g "$ROUND" "$MNT/synced" || right=$((right + 1))
	fs_umount "$DEV"
	return 0
}

errors()
{
	told=0 right=0 tried=0
	check "$1: $ROUNDS rounds" all_rounds one_round "$1"
	check_eq "$1: the worker wrote to the failing disk" "$tried" "$ROUNDS"
	check_eq "$1: fsync was told" "$told" "$ROUNDS"
	check_eq "$1: what was synced before is there" "$right" "$ROUNDS"
	check_around_books "$1"
	fs_new "$1" "$DEV"
	check "$1: and on the mended disk it goes on" goes_on
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

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The disk is full while the worker writes to it, directly or below a loop device, whose filesystem
# was promised more room than there is. Nothing hangs, the error reaches fsync(), what was written
# before is right, and the worker goes on when there is room.
# guards: rust/helper/file/worker.rs rust/kernel_ext/fs.rs
# faults: data progress
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk0
CHECKS=$((AROUND_BOOKS + 4))
start_test $((3 * CHECKS)) "a full disk against the worker"
load_helper
disk_attach disk0
DEV=$DISK
keeps_pages

# fill LEAVE_MIB: takes all of the free room but that.
fill()
{
	local free

	free=$(df -m "$MNT" | awk 'END { print $4 }')
	is_number "$free" && [ "$free" -gt "$1" ] &&
		fallocate -l $(((free - $1) * 1048576)) "$MNT/filler" && sync -f "$MNT/filler"
}

# A file needs 16 MiB, and there are 8.
full()
{
	fs_new "$1" "$DEV"
	around_cg "rwb-enospc-$1" 6
	check "$1: the disk has 8 MiB left" fill 8
	check_not "$1: it cannot take 16 MiB" "$BIN/filehog" write -p 4096 "$MNT/probe"
	rm -f "$MNT/probe.0"
	# A file that fits is written, by the worker as well.
	file_in "$ACG" write -y -p 1024 -o random "$MNT/file" || bail "$1: 4 MiB do not fit"
	in_cg "$ACG" "$BIN/filehog" write -p 4096 -a 1024 "$MNT/file" > "$TMP/filehog" 2>&1
	check "$1: the writer got ENOSPC" grep -q ENOSPC "$TMP/filehog"
	check_around_books "$1"
	fs_cold "$DEV"
	check "$1: the file that fitted is right from a cold cache" proves verify -p 1024 "$MNT/file"
	fs_umount "$DEV"
}

# The image is sparse: it runs out of blocks only when the loop device writes.
below()
{
	local loop="" dev="$DEV" under windows

	fs_new "$1" "$dev"
	under=$MNT
	truncate -s 400M "$MNT/image"
	loop=$(losetup -f)
	losetup "$loop" "$MNT/image" || bail "no loop device"
	undo "losetup -d $loop 2> /dev/null"
	fs_new ext4 "$loop"
	file write -y -p 512 "$MNT/synced" || bail "cannot write to a loop device"
	sync -f "$MNT/synced.0"
	MNT=$under
	fill 4 || bail "cannot fill $1"
	MNT=$TMP/mnt-${loop##*/}
	around_cg "rwb-enospc-loop" 24
	file_in "$ACG" write -p 4096 -o random "$MNT/file" || bail "the loop device took less than promised"
	windows=$(around windows)
	around_cg_limit 4
	around_quiet
	check_num "loop on a full $1: the worker wrote to it" "$(around windows)" -gt "$windows"
	exec 7< "$MNT/file.0"
	"$BIN/filehog" sync "$MNT/file" > "$TMP/filehog" 2>&1
	check "loop on a full $1: fsync reports an error" grep -Eq 'ENOSPC|EIO|EROFS' "$TMP/filehog"
	exec 7<&-
	check_around_books "loop on a full $1"
	rm -f "$under/filler"
	fs_cold "$loop"
	check "loop on a full $1: the synced file is right" proves verify -p 512 "$MNT/synced"
	check "loop on a full $1: it goes on when there is room" \
		file write -y -p 1024 -o random -g 2 "$MNT/again"
	fs_umount "$loop"
	losetup -d "$loop"
	MNT=$under
	fs_umount "$dev"
}

for_fs $CHECKS full ext4 xfs
for_fs $CHECKS below ext4

finish

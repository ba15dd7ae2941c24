#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Second half of qemu/kill-test.sh: each file that was reported as synced is there, in that
# generation or a later one. rwb.synced=FILE.GENERATION/... lists them.
. "$(dirname "$0")/../lib/test.sh"

need_disk disk0
need_fs "${RWB_FS:-ext4}"
[ -n "${RWB_SYNCED:-}" ] || skip_all "rwb.synced= names no file: qemu/kill-test.sh does"
# shellcheck disable=SC2046 # words
set -- $(echo "$RWB_SYNCED" | tr / ' ')
start_test $(($# + 1)) "what was synced before the guest was killed"
disk_attach disk0
# shellcheck disable=SC2034 # for fs_mount
FS_TYPE=${RWB_FS:-ext4}
mkdir -p "$TMP/mnt-${DISK##*/}"
fs_mount "$DISK"

# file_is N GENERATION: filehog knows a file by its number, and would verify all files before it,
# too.
file_is()
{
	mkdir -p "$TMP/one"
	ln -sf "$MNT/synced.$1" "$TMP/one/file.0"
	proves verify -l -p 256 -i "$1" -g "$2" "$TMP/one/file"
}

for one; do
	check "file ${one%.*} has generation ${one#*.} or later" file_is "${one%.*}" "${one#*.}"
done
fs_umount "$DISK"
check_eq "the filesystem complains of nothing" "$(fs_complaints)" clean

finish

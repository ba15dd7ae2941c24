#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A swap file comes and goes on the filesystem that the worker writes to. Its own
# pages are none of the worker's business; both sides' content is proven.
# guards: rust/helper/worker.rs rust/kernel_ext/fs.rs
# faults: data
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_helper
need_memcg
need_no_swap
need_disk disk0
ROUNDS=$(scaled 12)
MIB=$(scaled 24)
CHECKS=$((AROUND_BOOKS + 5))
start_test $((2 * CHECKS)) "swapoff against the worker"
load_helper
disk_attach disk0
DEV=$DISK
keeps_pages

# rounds: anonymous memory swaps to the filesystem while files on it are written.
rounds()
{
	local round=0

	swapped=0 right=0
	while [ "$round" -lt "$ROUNDS" ]; do
		round=$((round + 1))
		mkswap "$MNT/swap" > /dev/null && swapon "$MNT/swap" || return 1
		undo "swapoff $MNT/swap 2> /dev/null"
		file_bg swapoff "$ACG" write -p 2048 -o random -g "$round" "$MNT/file"
		hog_in "$ACG" swapped -m "$MIB" -r
		hog_filled swapped
		# swapoff reads it all back: the limit must let it.
		echo "$((MIB * 2))M" > "$ACG/memory.max"
		swapoff "$MNT/swap" || return 1
		swapped=$((swapped + 1))
		! hog_done swapped || right=$((right + 1))
		file_end swapoff || return 1
		echo "$((MIB / 2))M" > "$ACG/memory.max" || return 1
	done
}

swapoffs()
{
	fs_new "$1" "$DEV"
	around_cg "rwb-swapoff-$1" $((MIB / 2))
	# Written, not only reserved: XFS and ext4 swap to real blocks alone.
	if ! dd if=/dev/zero of="$MNT/swap" bs=1M count=$((MIB * 2)) 2> /dev/null; then
		bail "no swap file"
	fi
	chmod 600 "$MNT/swap"
	sync -f "$MNT/swap"
	snap before
	check "$1: $ROUNDS rounds" rounds
	by_chance check_num "$1: memory was swapped" $(($(vmstat pswpout) - $(sum "$TMP/before/vmstat" pswpout))) -gt 0
	check_eq "$1: it came back right" "$right" "$ROUNDS"
	around_quiet
	snap after
	by_chance check_num "$1: while folios were queued" "$(delta helper 'queued\.folios')" -gt 0
	check_around_books "$1"
	rm "$MNT/swap"
	fs_cold "$DEV"
	check "$1: files are right from a cold cache" proves verify -p 2048 -g "$ROUNDS" "$MNT/file"
	fs_umount "$DEV"
}

for_fs $CHECKS swapoffs ext4 xfs

finish

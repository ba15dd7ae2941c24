#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A swap file comes and goes on the filesystem that the worker writes to. The worker has nothing to
# do with the pages of the swap file. The content of both is verified.
# tier: all (around/truncate.sh has the same worker, whose pages a swap file never is)
# guards: rust/helper/file/worker.rs rust/kernel_ext/fs.rs
# faults: data
# disk: 1G 1G
# timeout: 400
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_no_swap
need_disk disk0
# A few rounds will do: in each of them folios are queued.
ROUNDS=$(scaled 4)
MIB=$(scaled 24)
# It must be more than the limit lets stay in memory.
[ "$MIB" -ge 12 ] || MIB=12
FILES=4		# MiB, of the cgroup that writes them
CHECKS=$((AROUND_BOOKS + 6))
start_test $((2 * CHECKS)) "swapoff against the worker"
load_helper
disk_attach disk0
DEV=$DISK
keeps_pages

# one_round: anonymous memory is swapped to the filesystem while files on it are written. The writer
# has an inner cgroup, whose limit is not raised, so that folios are queued while swapoff runs.
one_round()
{
	mkswap "$MNT/swap" > /dev/null && swapon "$MNT/swap" || return 1
	undo "swapoff $MNT/swap 2> /dev/null"
	hog_in "$ACG/anon" swapped -m "$MIB" -r
	hog_filled swapped
	# swapoff reads everything back, so the limit must allow that.
	around_cg_limit $((MIB * 2 + FILES))
	! loop_until 900 around_has_pending || queued=$((queued + 1))
	swapoff "$MNT/swap" || return 1
	! hog_done swapped || right=$((right + 1))
	around_cg_limit $((MIB / 2 + FILES))
}

swapoffs()
{
	local cg="rwb-swapoff-$1" before generation

	fs_new "$1" "$DEV"
	around_cg "$cg" $((MIB / 2 + FILES))
	echo +memory > "$ACG/cgroup.subtree_control" || bail "no memory controller in $ACG"
	cg_make "$cg/anon"
	cg_make "$cg/files"
	echo "${FILES}M" > "$ACG/files/memory.max"
	# The file must be written, not only reserved: XFS and ext4 swap to real blocks alone.
	if ! dd if=/dev/zero of="$MNT/swap" bs=1M count=$((MIB * 2)) 2> /dev/null; then
		bail "no swap file"
	fi
	chmod 600 "$MNT/swap"
	sync -f "$MNT/swap"
	before=$(vmstat pswpout)
	file_bg swapoff "$ACG/files" write -p 2048 -o random -u "$TMP/$1.enough" "$MNT/file"
	right=0 queued=0
	check "$1: $ROUNDS rounds" all_rounds one_round
	touch "$TMP/$1.enough"
	check "$1: files were written meanwhile" file_end swapoff
	generation=$(sed -n 's/.*generation //p' "$TMP/swapoff.log")
	check_num "$1: memory was swapped" $(($(vmstat pswpout) - before)) -gt 0
	check_eq "$1: the swapped memory was right" "$right" "$ROUNDS"
	check_eq "$1: folios were queued each time" "$queued" "$ROUNDS"
	check_around_books "$1"
	rm "$MNT/swap"
	fs_cold "$DEV"
	check "$1: the files are right from a cold cache" \
		proves verify -p 2048 -g "$generation" "$MNT/file"
	fs_umount "$DEV"
}

for_fs $CHECKS swapoffs ext4 xfs

finish

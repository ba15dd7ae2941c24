#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device stops answering. Its own worker waits for it, and no other. Another device is cleaned as
# before and can be unmounted, and the ledger names the stuck device. When it answers, everything
# goes on, and nothing was lost.
# guards: rust/helper/file/worker.rs rust/helper/file/lane.rs rust/policy/lanes.rs rust/helper/file.rs
# faults: progress
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk0 disk1
need_dm
ROUNDS=$(scaled 6)
CHECKS=$((AROUND_BOOKS + 10))
start_test $((2 * CHECKS)) "a device that stops answering"
load_helper
disk_attach disk1
UNDER=$DISK
dm_make rwb-stuck "$UNDER"
STUCK=$DISK
disk_attach disk0
WELL=$DISK
keeps_pages

# of DEV KEY: prints a row of that device.
of()
{
	around "device.$(bdi_of "$1").$2"
}

is_stuck()
{
	[ "$(of "$STUCK" stuck)" = "$1" ]
}

# more_windows COUNT: the worker counts windows once they are submitted.
more_windows()
{
	[ "$(around windows)" -gt "$1" ]
}

# In each round the well disk gets a file, and is unmounted and mounted. No other disk writes
# windows. (The rows of a device would not do: they begin anew with its worker.)
goes_on()
{
	local windows ACG="$WELL_CG"

	windows=$(around windows)
	around_cg_limit 12
	file_in "$ACG" write -p 1024 -o random -g "$THIS_ROUND" "$MNT/file" || return 1
	around_cg_limit 2
	! loop_until 100 more_windows "$windows" || cleaned=$((cleaned + 1))
	umount "$MNT" || return 1
	fs_mount "$WELL"
	! proves verify -p 1024 -g "$THIS_ROUND" "$MNT/file" || right=$((right + 1))
}

# tasks_in_kernel: shows where tasks wait for a lock or a device.
tasks_in_kernel()
{
	local dir

	for dir in /proc/[0-9]*; do
		! waits_in_kernel "${dir#/proc/}" ||
			say "$(cat "$dir/comm"): $(tr '\n' ' ' < "$dir/stack")"
	done
}

# superblock_is_free: the blocks of what is written are already allocated. Looking for blocks would
# need the disk while the superblock is held. The flusher has not been asked yet.
superblock_is_free()
{
	local remount is=false

	file_in "$ACG" write -p 2048 -o random "$stuck_mnt/file" || return 1
	sync -f "$stuck_mnt/file.0" || return 1
	file_in "$ACG" write -p 2048 -o random -g 2 "$stuck_mnt/file" || return 1
	if around_holds rwb-stuck 4; then
		mount -o remount,noatime "$STUCK" "$stuck_mnt" &
		remount=$!
		loop_until 100 has_ended $remount && is=true
		$is || tasks_in_kernel
		dm_go rwb-stuck
		wait $remount
	fi
	dm_go rwb-stuck
	around_met
	around_quiet
	$is
}

# writes_again: the flusher may have written all before reclaim meets it. So there are several files.
writes_again()
{
	gen=$((gen + 1))
	file_in "$ACG" write -p 2048 -o random -g $gen "$MNT/file" && loop_until 20 more_windows "$windows"
}

stuck()
{
	local at windows gen

	# Nothing of ext4 itself must wait for the disk meanwhile and hold the superblock.
	[ "$1" != ext4 ] || set -- ext4 commit=600,no_prefetch_block_bitmaps
	fs_new "$1" "$STUCK" "${2:-}"
	stuck_mnt=$MNT
	fs_new "$1" "$WELL"
	around_cg "rwb-well-$1" 8
	WELL_CG=$ACG
	file_in "$WELL_CG" write -p 1024 -o random -g 1000 "$MNT/file" || bail "cannot write to the well disk"
	around_cg "rwb-stuck-$1" 12
	# XFS syncs first, and so waits by itself.
	if [ "$1" = ext4 ]; then
		check "$1: its superblock is free while windows are in flight" superblock_is_free
	else
		skip_checks 1 "a remount of $1 waits for its device even without the module"
	fi
	around_cg_limit 12
	file_in "$ACG" write -p 2048 -o random "$stuck_mnt/file" || bail "cannot write"
	dm_stop rwb-stuck
	undo "dm_go rwb-stuck"
	# Reclaim meets what is only in memory. That takes a bounded time, however stuck the disk
	# is.
	at=$(cut -d. -f1 /proc/uptime)
	around_cg_limit 4
	check_num "$1: reclaim for the stuck device ended, seconds" \
		$(($(cut -d. -f1 /proc/uptime) - at)) -lt 30
	check "$1: the ledger says that it is stuck" loop_until 300 is_stuck 1
	cleaned=0 right=0
	check "$1: another device goes on" all_rounds goes_on
	check_eq "$1: the worker cleaned that device" "$cleaned" "$ROUNDS"
	check_eq "$1: its content was right after each unmount" "$right" "$ROUNDS"
	check_eq "$1: the ledger does not call it stuck" "$(of "$WELL" stuck)" 0
	dm_go rwb-stuck
	check "$1: the stuck device recovers" loop_until 300 is_stuck 0
	check_around_books "$1"
	MNT=$stuck_mnt
	fs_umount "$WELL"
	fs_cold "$STUCK"
	check "$1: nothing on it was lost" proves verify -p 2048 "$MNT/file"
	windows=$(around windows) gen=1
	check "$1: the worker writes to it again" loop_until 10 writes_again
	fs_umount "$STUCK"
}

for_fs $CHECKS stuck ext4 xfs

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Umount, remount and freeze while the worker is inside a submission. Its disk is a server that
# stands still and has no room for another request, so that the worker holds s_umount until the
# server goes on. A task that wants the superblock waits that long and no longer, it is not refused,
# and nothing is lost. (In around/umount, around/remount and around/freeze the requests are in
# flight already.)
# guards: rust/helper/file/worker.rs rust/kernel_ext/fs.rs
# faults: lifetime progress
# nbd: delay
# disk: 1G
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_nbd_disk
need_befall
need_fs ext4
WANTS=5
start_test plan-at-end "tasks that want a superblock while the worker is inside it"
load_helper
nbd_disk_attach delay
DEV=$DISK
around_few_tags "$DEV" || bail "the queue of $DEV cannot be made short"
keeps_pages
around_cg rwb-inside 12

# ends PID: does the task end well?
ends()
{
	loop_until 900 has_ended "$1" && wait "$1"
}

# show_waits PID: shows where the task waits.
show_waits()
{
	say "  $(cat "/proc/$1/comm"): $(cat "/proc/$1/wchan")"
}

# is_silent_now: does a read of the disk get no answer for a second?
is_silent_now()
{
	dd if="$DEV" of=/dev/null bs=4096 count=1 iflag=direct 2> /dev/null &
	! loop_until 10 has_ended $!
}

# wants WHAT COMMAND...: makes 4 checks. With the check of the content there are 5.
wants()
{
	local what="$TYPE: $1" pid

	shift
	generation=$((generation + 1))
	around_cg_limit 12
	file_in "$ACG" write -p 2048 -o random -g "$generation" "$MNT/file" || bail "cannot write"
	befall freeze delay
	loop_until 20 is_silent_now || bail "the server goes on"
	# This is more than the queue has room for.
	around_meets 4 || bail "reclaim meets nothing"
	check "$what: the worker is inside a submission" loop_until 300 worker_inside
	"$@" &
	pid=$!
	check "$what waits for the superblock" loop_until 100 waits_for_superblock $pid
	show_waits $pid
	check "$what still waits, and so does the worker" worker_inside
	befall thaw delay
	check "$what is done once the server goes on" ends $pid
	around_met
}

inside()
{
	TYPE=$1 generation=0
	fs_new "$1" "$DEV"
	wants remount mount -o remount,ro "$DEV" "$MNT"
	mount -o remount,rw "$DEV" "$MNT" || bail "cannot be remounted"
	check "$1: the content is right after the remount" proves verify -p 2048 -g $generation "$MNT/file"
	wants freeze fsfreeze --freeze "$MNT"
	fsfreeze --unfreeze "$MNT"
	check "$1: the content is right after the freeze" proves verify -p 2048 -g $generation "$MNT/file"
	wants umount umount "$MNT"
	fs_mount "$DEV"
	check "$1: the content is right after the umount" proves verify -p 2048 -g $generation "$MNT/file"
	check_around_books "$1"
	check "$1: it can be unmounted" fs_umount "$DEV"
}

CHECKS=$((3 * WANTS + AROUND_BOOKS + 1))
for_fs $CHECKS inside ext4 xfs
section "two filesystems" $((2 * CHECKS))
check_eq "the filesystems complain of nothing" "$(fs_complaints)" clean
section "complaints" 1

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Remounting read-only and back while the worker writes. A remount is never refused as busy, and
# nothing is written to a read-only filesystem. In every second round the disk stands still until
# the remount waits for it.
# guards: rust/helper/file/worker.rs rust/kernel_ext/fs.rs
# faults: data progress
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

CHECKS=$((AROUND_BOOKS + 5))
around_race 12 $((2 * CHECKS + 1)) "remount against the worker"
around_cg "$RACE" 8

one_round()
{
	around_cg_limit 16
	file_in "$ACG" write -p 1536 -o random -g "$THIS_ROUND" "$MNT/file" || return 1
	! around_by_turns 3 mount -o remount,ro "$DEV" "$MNT" || readonly=$((readonly + 1))
	! is_silent "$DEV" 1 || silent=$((silent + 1))
	around_met
	mount -o remount,rw "$DEV" "$MNT" || return 1
}

remounts()
{
	readonly=0 silent=0 HELD=0
	fs_new "$1" "$DEV"
	check "$1: $ROUNDS rounds" all_rounds one_round
	check_eq "$1: each became read-only at once" "$readonly" "$ROUNDS"
	check_eq "$1: nothing was written to a read-only filesystem" "$silent" "$ROUNDS"
	check_eq "$1: folios were queued when the remount came" "$HELD" "$(((ROUNDS + 1) / 2))"
	check_around_books "$1"
	fs_cold "$DEV"
	check "$1: the content is right from a cold cache" proves verify -p 1536 -g "$ROUNDS" "$MNT/file"
	fs_umount "$DEV"
}

for_fs $CHECKS remounts ext4 xfs
check_eq "the filesystems complain of nothing" "$(fs_complaints)" clean

finish

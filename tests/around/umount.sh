#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Unmounting while the worker writes. An unmount waits for one flush at most, never fails as busy,
# leaves no inode behind and loses nothing. The same holds for umount -l while a file is still open.
# In every second round the disk stands still until the unmount waits for it.
# guards: rust/helper/file/worker.rs rust/kernel_ext/fs.rs
# faults: lifetime locking
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

CHECKS=$((AROUND_BOOKS + 5))
around_race 12 $((2 * CHECKS + 1)) "umount against the worker"
around_cg "$RACE" 8

one_round()
{
	around_cg_limit 16
	file_in "$ACG" write -n 2 -p 768 -o random -g "$THIS_ROUND" "$MNT/file" || return 1
	if [ $((THIS_ROUND % 3)) = 0 ]; then
		around_by_turns 4 sh -c "exec < $MNT/file.0; umount -l $MNT" && lazy=$((lazy + 1))
	else
		around_by_turns 4 umount "$MNT" && now=$((now + 1))
	fi
	around_met
	echo 3 > /proc/sys/vm/drop_caches
	# After umount -l the superblock goes when its last user has gone.
	loop_until 100 mount -t "$FS_TYPE" "$DEV" "$MNT" || return 1
	! proves verify -n 2 -p 768 -g "$THIS_ROUND" "$MNT/file" || right=$((right + 1))
}

umounts()
{
	now=0 right=0 lazy=0 HELD=0
	fs_new "$1" "$DEV"
	check "$1: $ROUNDS rounds" all_rounds one_round
	check_eq "$1: every unmount succeeded at once" "$((now + lazy))" "$ROUNDS"
	check_eq "$1: a third of them had -l" "$lazy" "$((ROUNDS / 3))"
	check_eq "$1: folios were queued when the unmount came" "$HELD" "$(((ROUNDS + 1) / 2))"
	check_eq "$1: the content was right after each" "$right" "$ROUNDS"
	check_around_books "$1"
	fs_umount "$DEV"
}

for_fs $CHECKS umounts ext4 xfs
check_eq "the filesystems complain of nothing" "$(fs_complaints)" clean

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fsfreeze and thaw while the worker writes. Nothing reaches the disk of a frozen filesystem, no
# freeze hangs, and nothing is lost.
# guards: rust/helper/file/worker.rs rust/kernel_ext/fs.rs
# faults: data progress
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

CHECKS=$((AROUND_BOOKS + 6))
around_race 20 $((2 * CHECKS + 1)) "fsfreeze against the worker"
around_cg "$RACE" 8

skips_frozen()
{
	[ "$(around skipped.frozen.folios)" -gt "$1" ]
}

dirties()
{
	file_in "$ACG" write -p 1536 -o random -g "$THIS_ROUND" "$MNT/file"
}

# freezes_first: the freeze comes before any folio is queued. It would sync, and leave no dirty
# folio. But first it waits for a write(), which waits for a page from a disk that stands still.
# Reclaim wakes the flusher, too. If the flusher takes all folios first, the round is repeated.
freezes_first()
{
	local tries=5

	file write -y -p 1 "$MNT/cold" || return 1
	freeze_before || return 1
	while [ $refuses = false ] && [ $tries -gt 0 ]; do
		tries=$((tries - 1))
		fsfreeze --unfreeze "$MNT" || return 1
		around_met
		around_cg_limit 16
		dirties || return 1
		freeze_before || return 1
	done
	if [ $refuses = true ]; then
		refused=$((refused + 1))
	elif [ $refuses = unknown ]; then
		say "folios of a frozen filesystem were queued"
		fsfreeze --unfreeze "$MNT"
		return 1
	fi
}

# freeze_before: REFUSES says whether the worker left folios alone. It is false if no folio was
# dirty any more, and unknown if some were.
freeze_before()
{
	local skipped writer freeze

	around_quiet
	echo 1 > /proc/sys/vm/drop_caches
	dm_stop "$RACE"
	dd if=/dev/zero of="$MNT/cold.0" bs=512 count=1 conv=notrunc 2> /dev/null &
	writer=$!
	loop_until 900 waits_in_kernel $writer
	fsfreeze --freeze "$MNT" &
	freeze=$!
	loop_until 900 waits_in_kernel $freeze
	skipped=$(around skipped.frozen.folios)
	refuses=unknown
	if around_meets 3 && loop_until 300 skips_frozen "$skipped"; then
		refuses=true
	elif around_all_clean; then
		refuses=false
	fi
	dm_go "$RACE"
	wait $writer && wait $freeze
}

# In each round a file is overwritten, and the filesystem is frozen: while the worker writes the
# file, while the disk stands still, or before the worker comes to the file.
one_round()
{
	around_cg_limit 16
	dirties || return 1
	case $((THIS_ROUND % 3)) in
	0) around_amid 3 fsfreeze --freeze "$MNT" ;;
	1) around_held "$RACE" 3 fsfreeze --freeze "$MNT" ;;
	2) freezes_first ;;
	esac || return 1
	frozen=$((frozen + 1))
	! is_silent "$DEV" 2 || silent=$((silent + 1))
	fsfreeze --unfreeze "$MNT" || return 1
	around_met
	return 0
}

freezes()
{
	frozen=0 silent=0 HELD=0 refused=0
	fs_new "$1" "$DEV"
	check "$1: $ROUNDS rounds" all_rounds one_round
	check_eq "$1: each freeze succeeded" "$frozen" "$ROUNDS"
	check_eq "$1: nothing was written to a frozen filesystem" "$silent" "$ROUNDS"
	check_eq "$1: folios were queued when the freeze came" "$HELD" "$(((ROUNDS + 2) / 3))"
	check_eq "$1: folios met after the freeze were left alone" "$refused" "$(((ROUNDS + 1) / 3))"
	check_around_books "$1"
	fs_cold "$DEV"
	check "$1: the content is right from a cold cache" proves verify -p 1536 -g "$ROUNDS" "$MNT/file"
	fs_umount "$DEV"
}

for_fs $CHECKS freezes ext4 xfs
check_eq "the filesystems complain of nothing" "$(fs_complaints)" clean

finish

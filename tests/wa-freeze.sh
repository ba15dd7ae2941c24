#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fsfreeze and thaw while the worker writes: nothing reaches a frozen filesystem's
# disk, no freeze hangs, nothing is lost.
# guards: rust/helper/worker.rs rust/kernel_ext/fs.rs
# faults: locking data
# disk: 1G 1G
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_helper
need_memcg
need_disk disk1
need_dm delay
ROUNDS=$(scaled 20)
CHECKS=$((AROUND_BOOKS + 5))
start_test $((2 * CHECKS + 1)) "fsfreeze against the worker"
load_helper inflight=256
disk_slow disk1 rwb-freeze 20
keeps_pages
around_cg rwb-freeze 8

# Each round a file is overwritten, and the filesystem frozen while it is being written.
rounds()
{
	local round=0

	frozen=0 silent=0 queued=0
	while [ "$round" -lt "$ROUNDS" ]; do
		round=$((round + 1))
		around_cg_limit 16
		file_in "$ACG" write -p 1536 -o random -g "$round" "$MNT/file" || return 1
		! around_meets 3 || queued=$((queued + 1))
		fsfreeze --freeze "$MNT" || return 1
		frozen=$((frozen + 1))
		! is_silent "$DEV" 2 || silent=$((silent + 1))
		fsfreeze --unfreeze "$MNT" || return 1
		around_met
	done
}

freezes()
{
	fs_new "$1" "$DEV"
	check "$1: $ROUNDS rounds" rounds
	check_eq "$1: froze" "$frozen" "$ROUNDS"
	check_eq "$1: nothing was written to a frozen filesystem" "$silent" "$ROUNDS"
	by_chance check_num "$1: folios were queued meanwhile" "$queued" -gt 0
	check_around_books "$1"
	fs_cold "$DEV"
	check "$1: content from a cold cache" proves verify -p 1536 -g "$ROUNDS" "$MNT/file"
	fs_umount "$DEV"
}

for_fs $CHECKS freezes ext4 xfs
check_eq "the filesystems had nothing to say" "$(fs_complaints)" clean

finish

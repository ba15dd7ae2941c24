#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Cgroups are removed while their folios are queued. Nothing holds a removed cgroup once its files
# are written and gone.
# guards: rust/helper/file/worker.rs rust/helper/file/ring.rs rust/helper/file/freed.rs rust/kernel_ext/fs.rs
# faults: lifetime
# disk: 1G 1G
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

around_race 40 $((AROUND_BOOKS + 6)) "cgroup removal against the worker"
fs_new ext4 "$DEV"

dying()
{
	awk '$1 == "nr_dying_descendants" { print $2 }' "$CG/cgroup.stat"
}

few_dying()
{
	echo 3 > /proc/sys/vm/drop_caches
	[ "$(dying)" -le "$1" ]
}

# removes: the last trace of a task may go a moment after the task.
removes()
{
	loop_until 50 rmdir "$ACG" 2> /dev/null
}

one_round()
{
	around_cg "$RACE-$THIS_ROUND" 16
	# The file must be new: cached pages stay charged to their old cgroup.
	rm -f "$MNT/file.0"
	file_in "$ACG" write -p 1536 -o random -g "$THIS_ROUND" "$MNT/file" || return 1
	# In every second round the disk stands still, so that folios stay queued.
	if [ $((THIS_ROUND % 2)) = 0 ]; then
		around_meets 3
		! removes || removed=$((removed + 1))
	else
		around_holds "$RACE" 3
		# Otherwise rmdir waits until reclaim has tried often enough.
		kill "$MEETS" 2> /dev/null
		! removes || removed=$((removed + 1))
		! around_has_pending || held=$((held + 1))
		dm_go "$RACE"
	fi
	around_met
	return 0
}

base=$(dying) removed=0 held=0
check "$ROUNDS rounds" all_rounds one_round
check_eq "every cgroup could be removed" "$removed" "$ROUNDS"
check_eq "folios were queued in every second round" "$held" "$(((ROUNDS + 1) / 2))"
check_around_books "cgroups"
fs_cold "$DEV"
check "the content is right from a cold cache" proves verify -p 1536 -g "$ROUNDS" "$MNT/file"
fs_umount "$DEV"
# The kernel memory of cgroups is given back with a delay.
check "no removed cgroup is held" loop_until 300 few_dying $((base + 2))
say "dying cgroups: $base before, $(dying) after"
check_eq "the filesystem complains of nothing" "$(fs_complaints)" clean

finish

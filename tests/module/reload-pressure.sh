#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# rmmod under full load is a normal event. The module is loaded and unloaded 200 times while tasks
# swap over NBD, and every page is right.
# guards: rust/reclaimwb_main.rs rust/ledgers.rs rust/control/probes.rs rust/kernel_ext/percpu.rs rust/kernel_ext/cell.rs rust/kernel_ext/trylock.rs rust/tables/scratch.rs
# faults: lifetime locking memory
# nbd: fast
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_nbd fast
ROUNDS=200
# A round takes ten to twenty seconds on a kernel with checkers. These see a fault the first time, so
# three rounds will do; the last one has all groups of probes.
ALL_GROUPS=5
! is_debug_kernel || ROUNDS=3 ALL_GROUPS=3
start_test 6 "load and unload under pressure"
nbd_swap_on fast

# resident_mib: how much of the tasks' memory is resident, so that reclaim can take it.
resident_mib()
{
	awk '/^nr_(in)?active_anon / { n += $2 } END { print int(n / 256) }' /proc/vmstat
}

leave_mib "$LEFT"
hog_start tasks -N -n 2 -m 512 -U "$ENOUGH" -T 3600 -w 3600
hog_filled tasks
hog_go tasks
tasks=$(cat "$TMP/tasks.pid")

start=$(vmstat pswpout)
before=$start done=0 counted=0
while [ "$done" -lt "$ROUNDS" ]; do
	# Function probes come and go one by one, and the kernel waits for each, which takes seconds.
	# The last of ALL_GROUPS rounds has them all.
	groups="stalls=N shrinkers=N"
	[ $(((done + 1) % ALL_GROUPS)) != 0 ] || groups=
	# shellcheck disable=SC2086 # none, or two words
	try_load reclaimwb $groups || break
	n=$(row writes total.pages)
	! is_number "$n" || counted=$((counted + n))
	unload_mod || break
	done=$((done + 1))
	# Memory that others have given back (KASAN's quarantine) is locked, too, as else everything
	# might fit.
	now=$(vmstat pswpout)
	[ "$now" != "$before" ] || [ "$(resident_mib)" -lt 16 ] || ballast 4
	before=$now
done
check_eq "loaded and unloaded $ROUNDS times" "$done" "$ROUNDS"
by_chance check_num "the pressure went on meanwhile" \
	$(($(vmstat pswpout) - start)) -gt $((ROUNDS * 5))
say "resident $(resident_mib) MiB, free $(mem_mib MemFree), swap used $(($(mem_mib SwapTotal) - $(mem_mib SwapFree))), ballasts $BALLASTS"
by_chance check_num "some of it was counted" "$counted" -gt 0
check "the tasks are alive" kill -0 "$tasks"
check_not "and none found a wrong page" grep -q "is wrong" "$TMP/tasks.log"
hog_kill tasks
drop_ballast

# The probes are in order after all of that.
load_mod
check_eq "the write probe attaches after all that" \
	"$(row status probe.mm_vmscan_write_folio)" attached

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# rmmod under full load is a normal event: the module comes and goes 200 times
# while tasks swap over NBD, and every page still proves right.
# guards: rust/reclaimwb_main.rs rust/observer.rs rust/shim/attached.rs rust/kernel_ext/percpu.rs rust/kernel_ext/cell.rs rust/kernel_ext/trylock.rs rust/scratch.rs
# faults: lifetime locking memory
# nbd: fast
# timeout: 600
. "$(dirname "$0")/lib/test.sh"

need_mod
need_nbd fast
ROUNDS=200
# A round takes twenty seconds on a kernel with checkers, which see what is wrong the first
# time; the last of five has all groups.
! is_debug_kernel || ROUNDS=5
start_test 6 "load and unload under pressure"
nbd_swap_on fast

# resident_mib: of the tasks' memory, which is what reclaim can take.
resident_mib()
{
	awk '/^nr_(in)?active_anon / { n += $2 } END { print int(n / 256) }' /proc/vmstat
}

leave_mib "$LEFT"
hog_start tasks -N -n 2 -m 512 -U "$ENOUGH" -T 3600 -w 3600
hog_filled tasks
hog_go tasks
tasks=$(cat "$TMP/tasks.pid")

# swapped_since PAGES: and the ledger has some of it.
swapped_since()
{
	[ "$(vmstat pswpout)" -gt "$1" ] && [ "$(row writes total.pages)" -gt 0 ]
}

# still_swaps: the tasks do. Half of what others gave back meanwhile (KASAN's quarantine) is
# locked away each time, or all that the tasks have might fit; never what is not free, which
# would have the ballast killed for want of memory.
still_swaps()
{
	local before spare tries=0

	before=$(vmstat pswpout)
	while ! loop_until 10 swapped_since $((before + 5)); do
		tries=$((tries + 1))
		[ "$tries" -lt 60 ] || return 1
		spare=$((($(mem_mib MemFree) - $(wmark_mib high)) / 2))
		[ "$spare" -lt 2 ] || ballast "$spare"
	done
}

start=$(vmstat pswpout)
done=0 counted=0
while [ "$done" -lt "$ROUNDS" ]; do
	# Function probes come and go one by one, and the kernel waits for each: seconds here.
	# A fifth of the rounds has them all.
	groups="stalls=N shrinkers=N"
	[ $((done % 5)) != 4 ] || groups=
	# shellcheck disable=SC2086 # none, or two words
	try_load reclaimwb $groups || break
	still_swaps || break
	counted=$((counted + 1))
	unload_mod || break
	done=$((done + 1))
done
check_eq "loaded and unloaded $ROUNDS times" "$done" "$ROUNDS"
check_num "the pressure went on meanwhile" \
	$(($(vmstat pswpout) - start)) -gt $((ROUNDS * 5))
say "resident $(resident_mib) MiB, free $(mem_mib MemFree), swap used $(($(mem_mib SwapTotal) - $(mem_mib SwapFree))), ballasts $BALLASTS"
check_eq "some of it was counted each time" "$counted" "$ROUNDS"
check "the tasks are alive" kill -0 "$tasks"
check_not "and none found a wrong page" grep -q "is wrong" "$TMP/tasks.log"
hog_kill tasks
drop_ballast

# A last load finds the probes in order.
load_mod
check_eq "the write probe attaches after all that" \
	"$(row status probe.mm_vmscan_write_folio)" attached

finish

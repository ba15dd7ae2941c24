#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# rmmod under full load is a normal event: the module comes and goes 200 times
# while tasks swap over NBD, and every page still proves right.
# nbd: fast
# timeout: 600
. "$(dirname "$0")/lib/test.sh"

need_mod
need_nbd fast
ROUNDS=200
# A round takes seconds on a kernel with checkers.
! is_debug_kernel || ROUNDS=20
start_test 6 "load and unload under pressure"
nbd_swap_on fast

leave_mib "$LEFT"
"$BIN/memhog" -N -n 2 -m $(((LEFT + EXCESS) / 2)) -T 3600 -w 3600 > "$TMP/tasks.log" 2>&1 &
tasks=$!
undo "kill -9 $tasks 2> /dev/null"

start=$(vmstat pswpout)
writes_started()
{
	[ $(($(vmstat pswpout) - start)) -gt 64 ]
}
for _ in 1 2 3; do
	loop_until 300 writes_started && break
	say "no pressure: $(mem_mib MemAvailable) MiB are available"
	leave_mib 2
done
start=$(vmstat pswpout)

done=0 counted=0
while [ "$done" -lt "$ROUNDS" ]; do
	try_load reclaimwb || break
	n=$(row writes total.pages)
	! is_number "$n" || counted=$((counted + n))
	unload_mod || break
	done=$((done + 1))
done
check_eq "loaded and unloaded $ROUNDS times" "$done" "$ROUNDS"
check_num "the pressure went on meanwhile" \
	$(($(vmstat pswpout) - start)) -gt $((ROUNDS * 5))
check_num "some of it was counted" "$counted" -gt 0
check "the tasks are alive" kill -0 "$tasks"
check_not "and none found a wrong page" grep -q "is wrong" "$TMP/tasks.log"
kill "$tasks" 2> /dev/null
wait "$tasks" 2> /dev/null
drop_ballast

# A last load finds the probes in order.
load_mod
check_eq "the write probe attaches after all that" \
	"$(row status probe.mm_vmscan_write_folio)" attached

finish

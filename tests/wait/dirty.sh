#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A task writes a file faster than its disk does, and balance_dirty_pages() makes it pause. The
# ledger of waits has these pauses, by device and cgroup, and does not take them for reclaim. The
# kernel's own events agree.
# After docker/for-linux#651, raspberrypi/linux#1753, etcd#17615.
# guards: rust/ledgers/waits.rs rust/probes/wait.rs rust/rows/waits.rs rust/shim/probes_wait.c
# faults: books arithmetic report
# tier: all (wait/refault.sh and wait/swapin.sh have the ledger)
# disk: 1G
# mem: 512M
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_tool
need_disk disk0
need_fs ext4
need_dm delay
start_test $((WAITS_BOOKS + 7)) "writers that are throttled for dirty pages"
# The disk is so slow that 8 MiB of dirty pages, which is the limit, are dirtied faster than
# written.
disk_slow disk0 rwb-dirty 200
fs_new ext4 "$DEV"
cg_make rwb-dirty
set_file /proc/sys/vm/dirty_background_bytes $((2 << 20))
set_file /proc/sys/vm/dirty_bytes $((8 << 20))

# pauses FILE: prints how long the kernel's events say that tasks are to sleep, in ms.
pauses()
{
	sed -n 's/.* balance_dirty_pages: bdi .* pause=\([0-9]*\) .*/\1/p' "$1" |
		awk '{ n += $1 } END { print n + 0 }'
}

writes_much()
{
	# The file is written again and again, so that the disk does not get full.
	# shellcheck disable=SC2016 # the other shell's
	in_cg "$CG/rwb-dirty" sh -c 'while :; do dd if=/dev/zero of="$0" bs=64k count=4000 conv=notrunc; done' \
		"$MNT/much" 2> /dev/null &
	WRITER=$!
	loop_until 900 paused_long
	echo 1 > "$CG/rwb-dirty/cgroup.kill"
	wait $WRITER 2> /dev/null
	# It may take a while to write the rest.
	rm -f "$MNT/much"
}

paused_long()
{
	[ "$(awk '$1 == "dirty.ns" { printf "%d", $2 / 1e6 }' "$LEDGER/waits")" -ge 4000 ]
}

load_mod
"$TOOL" snapshot -o "$TMP/since.json" || bail "no snapshot"
TRACE=/sys/kernel/tracing
echo > "$TRACE/trace"
set_file "$TRACE/events/writeback/balance_dirty_pages/enable" 1
writes_much
quiesce
echo 0 > "$TRACE/events/writeback/balance_dirty_pages/enable"
cat "$TRACE/trace" > "$TMP/trace"
check_waits_books "dirty"
ms=$(($(waited 'dirty\.ns') / 1000000)) events=$(grep -c ' pause=[1-9]' "$TMP/trace")
check_eq "the ledger has each pause that the kernel's events have" "$(waited 'dirty\.waits')" "$events"
say "the events' pauses: $(pauses "$TMP/trace") ms; the ledger: $ms ms"
# The events have whole milliseconds of each pause, rounded down.
check_num "the ledger's time is as long as the events say" "$ms" -ge "$(pauses "$TMP/trace")"
check_num "it is no longer" "$ms" -le $(($(pauses "$TMP/trace") + events))
check_eq "all of it belongs to the cgroup" "$(waited_of rwb-dirty 'dirty\.ns')" "$(waited 'dirty\.ns')"
dev=$(bdi_of "$DEV")
check_eq "all of it belongs to the device" "$(waited "device\\.$dev\\.dirty\\.ns")" "$(waited 'dirty\.ns')"
check_num "share that belongs to named tasks, per cent" "$(share "$(waited 'dirty\.task\.[0-9]+\.ns')" "$(waited 'dirty\.ns')")" -ge 100
"$TOOL" report --since "$TMP/since.json" > "$TMP/report" 2> "$TMP/report.err"
sed -n '/^SUMMARY/,/^WHO WROTE/p' "$TMP/report" | tr -s ' *\n' ' ' > "$TMP/summary"
say "$(cut -c -600 "$TMP/summary")"
check "the SUMMARY names the cause" grep -Eqi 'dirty pages of device .* faster.*balance_dirty_pages' "$TMP/summary"
unload_mod
finish

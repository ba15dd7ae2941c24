#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kswapd does not come to rest: without swap the pages of tmpfs cannot go, and tasks that read more
# than is left keep it at work. The ledger agrees with the scheduler on its CPU time, and with
# /proc/vmstat on what it looked at and freed. It says why kswapd does not rest, and who wakes it.
# guards: rust/ledgers/kswapd.rs rust/policy/kswapd.rs rust/probes/kswapd.rs rust/rows/kswapd.rs
# faults: books report
# disk: 512M
# mem: 256M
# timeout: 300
# shellcheck disable=SC2154 # what deltas sets
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_tool
need_disk disk0
need_fs ext4
need_file /proc/self/schedstat CONFIG_SCHED_INFO
start_test 17 "kswapd is at work"

disk_attach disk0
fs_new ext4 "$DISK"
check "there is a file" "$BIN/benchload" fill "$MNT/file" 200
fs_cold "$DISK"
KSWAPD=$(grep -lx kswapd0 /proc/[0-9]*/comm | cut -d/ -f3)
[ -n "$KSWAPD" ] || bail "no kswapd0"

# node KEY: prints the current row of node 0.
node()
{
	row kswapd "node.0.$1"
}

at_work()
{
	echo "$(vmstat pgscan_kswapd) $(node windows)"
}

# rested NAME: takes a snapshot of the ledger, the kernel's counters and kswapd's CPU time in
# nanoseconds. They are read one after the other, and the shell's commands take memory, too. So the
# snapshot is good only if kswapd has not worked between the first and the last, nor 0.3 s before.
rested()
{
	local a

	a=$(at_work)
	sleep 0.3
	mkdir -p "$TMP/$1"
	echo 1 > /proc/sys/vm/stat_refresh
	cat "$LEDGER/kswapd" > "$TMP/$1/kswapd"
	cat /proc/vmstat > "$TMP/$1/vmstat"
	cut -d' ' -f1 "/proc/$KSWAPD/schedstat" > "$TMP/$1/cpu"
	[ "$a" = "$(at_work)" ] && grep -q '^State:.S' "/proc/$KSWAPD/status"
}

# reads_until MET: three tasks read the file, again and again, until then.
reads_until()
{
	local met=1

	for _ in 1 2 3; do
		# shellcheck disable=SC2016 # its own
		sh -c 'while [ ! -e "$1" ]; do cat "$0" > /dev/null || exit 1; done' "$MNT/file" \
			"$TMP/stop" &
	done
	loop_until 1200 "$1" && met=0
	: > "$TMP/stop"
	wait
	rm "$TMP/stop"
	return $met
}

worked()
{
	is_number "$(node reclaimed.pages)" && [ "$(node reclaimed.pages)" -gt 8192 ]
}

worked_on()
{
	[ "$(node windows)" -gt $((before + 100)) ] && [ "$(node reclaimed.pages)" -gt "$enough" ]
}

load_mod
"$TOOL" snapshot -o "$TMP/since.json" || bail "no snapshot"
mkdir "$TMP/full"
mount -t tmpfs -o size=95% tmpfs "$TMP/full" || bail "no tmpfs"
undo "umount $TMP/full"
dd if=/dev/zero of="$TMP/full/file" bs=1M count=$(($(mem_mib MemAvailable) - 48)) 2> /dev/null ||
	bail "tmpfs cannot be filled"

# The module first looks at kswapd's clock in its first pass.
check "kswapd begins to work" reads_until worked
check "without readers it rests" loop_until 100 rested before
before=$(sum "$TMP/before/kswapd" 'node\.0\.windows')
enough=$(($(sum "$TMP/before/kswapd" 'node\.0\.reclaimed\.pages') + 8192))
check "it goes on working" reads_until worked_on
check "it rests again" loop_until 100 rested after
cpu=$((($(cat "$TMP/after/cpu") - $(cat "$TMP/before/cpu")) / 1000))
deltas 'ns=kswapd:node\.0\.cpu\.ns' 'scan=vmstat:pgscan_kswapd' 'steal=vmstat:pgsteal_kswapd' \
	'scanned=kswapd:node\.0\.scanned\.pages' 'isolated=kswapd:node\.0\.isolated\.pages' \
	'freed=kswapd:node\.0\.reclaimed\.pages' 'windows=kswapd:node\.0\.windows' \
	'whys=kswapd:node\.0\.why\.[a-z_]*\.windows' 'tmpfs=kswapd:node\.0\.why\.tmpfs\.windows' \
	'woken=kswapd:wake\.order\.[0-9]*\.times'
for d in "$d_ns" "$d_windows"; do
	is_number "$d" || bail "node 0 has no figures"
done
led=$((d_ns / 1000))
say "kswapd0 took $cpu us, scanned $d_scan pages, freed $d_steal"
# What kswapd takes after its last pass goes to the next one, and the clock is read at ticks.
check_num "its CPU time is no less than the scheduler's, us" "$led" -ge $((cpu * 9 / 10 - 50000))
check_num "its CPU time is no more than the scheduler's, us" "$led" -le $((cpu * 11 / 10 + 50000))
# MGLRU counts the pages that it took, not those that it looked at.
check_num "it looked at what the kernel says that it scanned" "$d_scanned" -ge "$d_scan"
check_num "it took no more off its lists than it looked at" "$d_isolated" -le "$d_scanned"
check_num "it took not much less" "$d_isolated" -ge $((d_scan / 2))
# Pages of slabs are freed, too.
check_num "it freed what the kernel says that it stole" "$d_freed" -ge "$d_steal"
check_eq "each pass has one reason" "$d_whys" "$d_windows"
check_num "the reason is tmpfs" "$d_tmpfs" -ge $((d_windows * 9 / 10))
check_num "someone woke it" "$d_woken" -gt 0
check_num "a reader woke it" "$(awk '$1 ~ /^waker\.[0-9]*\.task$/ && $2 == "cat" {
	sub(/task/, "times", $1); want = $1; next } $1 == want { print $2 }' "$LEDGER/kswapd")" -gt 0

"$TOOL" report --since "$TMP/since.json" > "$TMP/report" || bail "no report"
tr -s ' \n' ' ' < "$TMP/report" > "$TMP/report.flat"
check "the report says what it cost to free a page" \
	grep -Eq 'KSWAPD .*scanned per freed' "$TMP/report.flat"
check "the report says that tmpfs cannot go without swap" \
	grep -Eq 'KSWAPD .*tmpfs.*no swap' "$TMP/report.flat"
unload_mod

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tasks at a memory.max, without swap: mapped pages of the file that they run are dropped and read
# again, over and over. The ledger of waits has this, by cgroup, with the limit that caused it. It
# agrees with PSI and delay accounting.
# After actions/actions-runner-controller#4436, moby/moby#49801.
# guards: rust/ledgers/waits.rs rust/probes/wait.rs rust/rows/waits.rs rust/shim/wait.c rust/policy/wait.rs
# faults: books arithmetic origin report
# disk: 512M
# mem: 384M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_tool
need_disk disk0
need_fs ext4
need_dm delay
need_file /proc/sys/kernel/task_delayacct CONFIG_TASK_DELAY_ACCT
TASKS="a b c"
MIB=40
start_test plan-at-end "pages of files that are read again"
set_file /proc/sys/kernel/task_delayacct 1
disk_attach disk0
UNDER=$DISK
dm_make rwb-refault "$UNDER"
DEV=$DISK
fs_new ext4 "$DEV"
check "there is a file" "$BIN/benchload" fill "$MNT/lib" $MIB
fs_cold "$DEV"
# From now on a read takes 4 ms.
dm_table rwb-refault "$UNDER" slow 4 || bail "no slow disk"
cg_make rwb-refault
GROUP=$CG/rwb-refault
echo +memory > "$GROUP/cgroup.subtree_control" || bail "no memory controller"
for t in $TASKS anon; do
	cg_make "rwb-refault/$t"
done

load_mod
"$TOOL" snapshot -o "$TMP/since.json" || bail "no snapshot"
# Reading a file for the first time is not due to a lack of memory.
check "the file is read for the first time" in_cg "$GROUP/anon" "$BIN/benchload" map "$MNT/lib" $MIB
take_waits
check_eq "nobody waited for a page that had been in memory before" "$(waited_of rwb-refault/anon 'refault\.waits')" 0
check_eq "no page came back" "$(waited_of rwb-refault/anon 'refaults\.(anon|file)\.pages')" 0
section "the first read" 4
fs_cold "$DEV"

echo 48M > "$GROUP/memory.max"
# Without swap these pages stay, so that some 26 MiB are left for a file of 40.
hog_in "$GROUP/anon" anon -m 20
hog_filled anon

# thrash: there are three tasks, so that a page which two of them have touched is active when it
# goes: only then does the kernel call its return thrashing. Each task is on one CPU, and alone in
# its cgroup but for getdelays: PSI weighs the shares of CPUs, and has less of a task that moves.
thrash()
{
	local t pids='' cpu=1

	for t in $TASKS; do
		if command -v getdelays > /dev/null; then
			in_cg "$GROUP/$t" taskset "$cpu" getdelays -d -c "$BIN/benchload" -c 100000 map "$MNT/lib" $MIB \
				> "$TMP/delays.$t" 2>&1 &
		else
			in_cg "$GROUP/$t" taskset "$cpu" "$BIN/benchload" -c 100000 map "$MNT/lib" $MIB > /dev/null 2>&1 &
		fi
		pids="$pids $!"
		cpu=$((3 - cpu))
	done
	loop_until 1200 long_enough
	for t in $TASKS; do
		kill_mapper "$GROUP/$t"
	done
	# shellcheck disable=SC2086 # words
	wait $pids
}

# long_enough: has each waited so long that a share of its time does not depend on luck?
long_enough()
{
	local t

	for t in $TASKS; do
		[ "$(psi_us "rwb-refault/$t")" -ge 4000000 ] || return 1
	done
}

kill_mapper()
{
	local pid

	while read -r pid; do
		[ "$(cat "/proc/$pid/comm" 2> /dev/null)" != benchload ] || kill -KILL "$pid"
	done < "$1/cgroup.procs"
}

for t in $TASKS; do psi_us "rwb-refault/$t" > "$TMP/psi.$t"; done
again=$(stat_of rwb-refault memory.stat workingset_refault_file)
thrash
quiesce
again=$(($(stat_of rwb-refault memory.stat workingset_refault_file) - again))
check_waits_books "refaults"
section "books" "$WAITS_BOOKS"
check_num "pages of the file came back" "$again" -gt 2000
say "the kernel counts $again pages that came back"
ours=0
for t in $TASKS anon; do ours=$((ours + $(waited_of "rwb-refault/$t" 'refaults\.file\.pages'))); done
check_num "share of them that the ledger has, per cent" "$(share "$ours" "$again")" -ge 98
check_num "the ledger has no more, per cent" "$(share "$ours" "$again")" -le 102
check_eq "nobody was killed" "$(stat_of rwb-refault memory.events oom_kill)" 0
section "pages" 4
for t in $TASKS; do
	psi=$(($(psi_us "rwb-refault/$t") - $(cat "$TMP/psi.$t")))
	psi_ns=$(waited_of "rwb-refault/$t" 'psi\.ns')
	say "$t: PSI $((psi / 1000)) ms; the ledger $((psi_ns / 1000000)) ms of that, and $(($(waited_of "rwb-refault/$t" '(stall|refault|swapin)\.ns') / 1000000)) ms for pages and to have room"
	check_num "$t: share of PSI's time that the ledger has, per cent" "$(share "$psi_ns" "$((psi * 1000))")" -ge 90
	# A worker of the kernel folds PSI's counts. On a busy host it comes late, and loses some.
	by_chance check_num "$t: the ledger has no more, per cent" "$(share "$psi_ns" "$((psi * 1000))")" -le 110
done
section "PSI of three tasks" $((3 * 2))

# delay NAME...: prints what delay accounting has of all three tasks, in ns.
delay()
{
	local t

	for t in $TASKS; do
		awk -v k="$1" '$1 == k { getline; print $2; exit }' "$TMP/delays.$t"
	done | awk '{ s += $1 } END { printf "%.0f\n", s }'
}

if command -v getdelays > /dev/null; then
	theirs=$(($(delay RECLAIM) + $(delay THRASHING)))
	ours=0
	for t in $TASKS; do ours=$((ours + $(waited_of "rwb-refault/$t" 'psi\.ns'))); done
	say "delay accounting: $((theirs / 1000000)) ms in reclaim and thrashing; the ledger: $((ours / 1000000)) ms"
	check_num "share of the accounted delays that the ledger has, per cent" "$(share "$ours" "$theirs")" -ge 90
	# PSI also counts the time in which a read of such a page is submitted.
	check_num "the ledger has not much more, per cent" "$(share "$ours" "$theirs")" -le 125
else
	skip_checks 2 "no getdelays (the kernel's tools/accounting)"
fi
section "delay accounting" 2
check_num "share of it that is due to a memory.max, per cent" \
	"$(share "$(waited 'refault\.limit\.max\.ns')" "$(waited 'refault\.ns')")" -ge 90
check_eq "the ledger says whose limit it is" "$(awk -v k="cgroup.$(cg_id rwb-refault/a).limit.path" '$1 == k { print $2 }' "$TMP/waits_cgroups")" /rwb-refault
"$TOOL" report --since "$TMP/since.json" > "$TMP/report" 2> "$TMP/report.err"
sed -n '/^SUMMARY/,/^WHO WROTE/p' "$TMP/report" | tr -s ' *\n' ' ' > "$TMP/summary"
say "$(cut -c -700 "$TMP/summary")"
check "the SUMMARY names pages that are read again" \
	grep -Eqi 'read again soon after reclaim.* memory\.max' "$TMP/summary"
section "whose limit" 3
unload_mod
check "the memory that stayed is right" hog_done anon
section "content" 1
finish

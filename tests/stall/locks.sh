#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A task at the memory.max of its cgroup writes a file of a tmpfs: it stalls with the lock of the
# inode held, as its memory goes to a slow disk. Others, who need no memory, want that lock. The
# ledger says which lock they wait for, how long, behind whom, and what that one stalls for; and the
# kernel's own events of locks have waits as long as that.
# After bpftrace's user-tools#29.
# guards: rust/ledgers/stalls/locks.rs rust/rows/locks.rs rust/shim/probes_wait.c rust/probes/stall.rs
# faults: books report
# disk: 512M
# mem: 384M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_tool
need_disk disk0
need_dm delay
start_test plan-at-end "locks of tasks that stall"
disk_slow disk0 rwb-locks 20
mkswap "$DEV" > /dev/null || bail "mkswap"
mkdir "$TMP/mnt"
mount -t tmpfs -o size=256M tmpfs "$TMP/mnt" || bail "no tmpfs"
undo "umount $TMP/mnt"
FILE=$TMP/mnt/file
: > "$FILE"
cg_make rwb-locks
load_mod write_around=N
"$TOOL" snapshot -o "$TMP/since.json" || bail "no snapshot"

# locks REGEX: the sum of the rows whose whole key matches.
locks()
{
	awk -v re="^($1)\$" '$1 ~ re { s += $2 } END { printf "%.0f\n", s }' "$TMP/stalls_locks"
}

# most KEY: of the row with most time.
most()
{
	awk -v k="$1" '$1 ~ /^lock\.[0-9]+\.ns$/ && $2 > ns { ns = $2; split($1, key, "."); n = key[2] }
		{ v[$1] = $0 } END { row = "lock." n "." k; sub(/^[^ ]* /, "", v[row]); print v[row] }' \
		"$TMP/stalls_locks"
}

# wants_the_lock UNTIL: over and over; it takes no memory to speak of.
wants_the_lock()
{
	rm -f "$TMP/enough"
	while [ ! -e "$TMP/enough" ]; do
		/bin/chmod 600 "$FILE"
	done &
	WANTS=$!
	loop_until "$1" "$2"
	touch "$TMP/enough"
	wait $WANTS
}

# writes MIB: with the lock held for a MiB at a time.
writes()
{
	/bin/dd if=/dev/zero of="$FILE" bs=1M count="$1" conv=notrunc 2> /dev/null
}

writer_over()
{
	[ -e "$TMP/written" ]
}

# A holder that does not stall is none of ours.
rm -f "$TMP/written"
{ writes 32 && writes 32 && touch "$TMP/written"; } &
WRITER=$!
wants_the_lock 300 writer_over
check "a file is written without a limit" wait $WRITER
check "the ledger can be read" settle stalls_locks
check_eq "nobody waits for a task that stalls" "$(locks waits)" 0
section "no limit" 3

waited_long()
{
	awk '$1 == "waits" { n = $2 } $1 == "ns" { ns = $2 } END { exit n < 5 || ns < 1e9 }' "$LEDGER/stalls_locks"
}

: > "$FILE"
swap_on "$DEV"
echo 16M > "$CG/rwb-locks/memory.max"
trace_start lock/contention_begin lock/contention_end
for event in contention_begin contention_end; do
	echo 'comm == "chmod"' > "$INSTANCE/events/lock/$event/filter" || bail "no filter"
done
echo > "$INSTANCE/trace"
# shellcheck disable=SC2016 # the other shell's
in_cg "$CG/rwb-locks" sh -c 'while [ ! -e "$1" ]; do /bin/dd if=/dev/zero of="$0" bs=1M count=32 conv=notrunc; done' \
	"$FILE" "$TMP/enough" 2> /dev/null &
WRITER=$!
wants_the_lock 1200 waited_long
wait $WRITER
# What is read again is charged to it.
echo max > "$CG/rwb-locks/memory.max"
quiesce
cat "$INSTANCE/trace" > "$TMP/trace"
check_stall_books "locks" memcg_max 1
section "stalls" "$STALL_BOOKS"
check "the ledger can be read" settle stalls_locks
check_eq "its state" "$(row stalls_locks state)" on
by_chance check "there were waits behind the writer" waited_long
while read -r o; do say "  $o"; done < "$TMP/stalls_locks"
check_eq "the rows have all waits" "$(locks 'lock\.[0-9]+\.waits|other\.waits')" "$(locks waits)"
check_eq "and their time" "$(locks 'lock\.[0-9]+\.ns|other\.ns')" "$(locks ns)"
check_eq "no stall was without room" "$(row status lost.lock_holders)" 0
say "most: $(most at), $(most longest.waiter) for $(most longest.holder)"
check "most is in the function that changes the mode" test "$(most at | cut -d+ -f1)" = chmod_common
check_eq "one task held the lock" "$(most held_by)" task
check_eq "the writer" "$(most longest.holder)" dd
check_eq "the task that waited is named" "$(most longest.waiter)" chmod
cause=$(most cause)
by_chance check_num "its stalls are mostly for the cause that the ledger tells ($cause), ms" \
	$(($(stalled "memcg_max\\.part\\.$cause\\.ns") / 1000000)) -ge $(($(stalled 'memcg_max\.ns') / 4000000))
section "rows" 11
# What the kernel's events say that each waited for a lock that one sleeps for, in us.
events=$(awk '{ task = $1 }
	/ contention_begin: .*flags=(READ|WRITE|MUTEX)\)/ { t[task, $(NF - 1)] = at($0) }
	/ contention_end: / && (task, $(NF - 1)) in t {
		s += at($0) - t[task, $(NF - 1)]; delete t[task, $(NF - 1)] }
	function at(line) { match(line, /[0-9]+\.[0-9]+: contention/); return substr(line, RSTART) * 1000000 }
	END { printf "%.0f\n", s }' "$TMP/trace")
ours=$(($(awk '$1 ~ /^lock\.[0-9]+\.at$/ && $2 ~ /^chmod_common/ { split($1, k, "."); mine[k[2]] }
	$1 ~ /^lock\.[0-9]+\.ns$/ { split($1, k, "."); ns[k[2]] = $2 }
	END { for (i in mine) s += ns[i]; printf "%.0f\n", s }' "$TMP/stalls_locks") / 1000))
say "chmod waited $((events / 1000)) ms for locks, say the kernel's events; $((ours / 1000)) ms of it behind a stall, says the ledger"
check_eq "the trace holds every event" "$(trace_lost)" 0
check_num "the ledger has no more than the events, us" "$ours" -le $((events + events / 100 + 1000))
# The writer stalls for a part of that alone, and a wait that began between two stalls is not seen.
by_chance check_num "and a twentieth of it at least" "$ours" -ge $((events / 20))
section "the kernel's events" 3
"$TOOL" report --since "$TMP/since.json" > "$TMP/report" 2> "$TMP/report.err"
sed -n '/^SUMMARY/,/^WHO WROTE/p' "$TMP/report" | tr -s ' *\n' ' ' > "$TMP/summary"
say "$(cut -c -900 "$TMP/summary")"
check "the SUMMARY tells who waited for whom" \
	grep -Eqi 'for locks held by tasks that stalled.*chmod_common.*chmod\[[0-9]+\] for dd\[[0-9]+\]' "$TMP/summary"
check "folded stacks have lock and cause" \
	sh -c "'$TOOL' stalls --folded --locks | grep -q '^chmod_common;held by a task;[a-z-]'"
check "the file is right" test "$(tr -d '\0' < "$FILE" | wc -c)" = 0
section "report" 3
rm -f "$FILE"
trace_stop
unload_mod
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A task has only a dead swap device. It wants more than its cgroup may have, and nothing of that is
# ever written. It is OOM-killed, with handoff no later than without: the same task meets the same
# device in turn with handoff=never, which is what reclaim does by itself, and with handoff=always.
# (If all memory is short, stock itself hangs until the device answers, as there is no memory even
# for a request.)
# guards: rust/helper/swap/ rust/policy/handoff.rs rust/policy/link.rs rust/probes/block.rs qemu/patches/0002*
# faults: progress
# disk: 512M 512M
# timeout: 400
# variants: base
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_memcg
need_no_swap
need_disk disk0
need_dm delay
PAIRS=2
# The device is dead for longer than the test waits for anything.
DEAD_MS=600000 PATIENCE_S=40
start_test plan-at-end "OOM kills with a dead swap device"
load_handoff
disk_attach disk0
UNDER=$DISK
dm_make rwb-kill "$UNDER"
DEV=$DISK
swap_on "$DEV"
cg_make rwb-kill
echo 24M > "$CG/rwb-kill/memory.max"

# batches: prints how many pages were submitted, or handed over to be submitted.
batches()
{
	local n

	n=$(sum "$LEDGER/batches" '[a-z_]*\.pages')
	is_number "$n" || n=0
	echo "$n"
}

# killed_after NAME: prints the ms from the line NAME in the kernel's log to the next OOM kill.
killed_after()
{
	dmesg | awk -v name="$1" '
		function ms() { match($0, /[0-9]+\.[0-9]+/); return substr($0, RSTART, RLENGTH) * 1000 }
		index($0, name) { began = ms() }
		began && /out of memory: Killed process/ { printf "%d\n", ms() - began; found = 1; exit }
		END { if (!found) print "missing" }'
}

# dies MODE ROUND: sets MS to the time until the task was killed. Makes 1 check.
dies()
{
	local task mark="reclaimwb-test: $1 $2 $$"

	set_to "handoff=$1" || bail "handoff=$1 is refused"
	dm_table rwb-kill "$UNDER" delay $DEAD_MS || bail "no dead disk"
	echo "$mark" > /dev/kmsg
	in_cg "$CG/rwb-kill" "$BIN/memhog" -c text -m 96 > "$TMP/task" 2>&1 &
	task=$!
	loop_until $((PATIENCE_S * 10)) has_ended $task || say "it lives on"
	dm_table rwb-kill "$UNDER" linear || bail "it stays dead"
	wait $task
	handoff_quiet
	MS=$(killed_after "$mark")
	check "$1, $2: the task was killed" is_number "$MS"
	is_number "$MS" || MS=$((PATIENCE_S * 1000))
	say "$1, $2: after $MS ms"
}

never=0 always=0
written=$(vmstat pswpout) before=$(batches) taken=$(handed '[a-z_]*\.taken\.requests')
for pair in $(seq $PAIRS); do
	dies never "$pair"
	never=$((never + MS))
	taken=$(handed '[a-z_]*\.taken\.requests')
	dies always "$pair"
	always=$((always + MS))
	check_num "always, $pair: requests were handed off" \
		$(($(handed '[a-z_]*\.taken\.requests') - taken)) -gt 0
done
section "the kills" $((3 * PAIRS))
say "until the kill: never $never ms, always $always ms, of $PAIRS each"
# Handoff adds the second after which a device is late, and the five that a task sleeps for a device
# that may be back soon. It adds them once, not for each batch. One more second is for the pace of
# the machine, as the time without handoff may be short. On a slow machine that is not enough.
by_chance check_num "with handoff it took not much longer, ms" \
	"$always" -le $((never * 6 / 5 + 7000 * PAIRS))
quiesce
check_num "pages were swapped out" $(($(vmstat pswpout) - written)) -gt 0
# A bio that passes through device mapper is seen twice, and counted once.
check_eq "the batches' pages are pswpout" $(($(batches) - before)) $(($(vmstat pswpout) - written))
section "time and pages" 3
check_handoff_books "after the kills"
section "books" "$HANDOFF_BOOKS"

finish

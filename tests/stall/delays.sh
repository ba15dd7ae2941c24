#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The stalls of one task are compared with the kernel's delay accounting of it: the task was in
# reclaim as often and for as long. Stalls at the limits of cgroups have origins of their own.
# guards: rust/ledgers/stalls.rs rust/ledgers/stalls/ rust/ledgers/cost.rs rust/rows/stalls.rs rust/tables/hist.rs
# faults: books arithmetic unpatched
# mem: 384M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_file /proc/sys/kernel/task_delayacct CONFIG_TASK_DELAY_ACCT
M=$(scaled 96)
start_test plan-at-end "stalls against delay accounting"
set_file /proc/sys/kernel/task_delayacct 1
zram_swap_on 512
leave_mib "$M"

# delays NAME: prints the count and the ns of one kind of delay.
delays()
{
	awk -v k="$1" '$1 == k { getline; print $1, $2; exit }' "$TMP/delays"
}

# many_delays: has the cgroup stalled often enough?
many_delays()
{
	local n

	n=$(sum "$LEDGER/stalls_cgroups" "$own\\.stalls")
	is_number "$n" && [ "$n" -ge "$ENOUGH_STALLS" ]
}

# fill: getdelays reports on just this task, which is alone in its cgroup but for getdelays itself.
fill()
{
	local rc=0 pid

	rm -f "$TMP/enough"
	in_cg "$CG/rwb-delays" getdelays -d -c "$BIN/memhog" -c text -m $((M * 3 / 2)) \
		-E "$TMP/enough" > "$TMP/delays" 2>&1 &
	pid=$!
	squeezed_until 120 many_delays || rc=1
	touch "$TMP/enough"
	wait "$pid" && grep -q 'verified [1-9][0-9]* pages, 0 bad' "$TMP/delays" || rc=1
	return $rc
}

# long_penalty: was it twice as long as memory.high makes a task sleep at most?
long_penalty()
{
	awk '$1 == "memcg_high.ns" { n = $2 } END { exit n < 4e9 }' "$LEDGER/stalls"
}

# penalty: takes the limit away when the penalty was long enough.
penalty()
{
	local rc=0

	hog_in "$CG/rwb-high" high -c zero -m 12
	loop_until 1200 long_penalty || rc=1
	echo max > "$CG/rwb-high/memory.high"
	hog_filled high
	hog_done high || rc=1
	return $rc
}

load_mod write_around=N handoff=never
cg_make rwb-delays
if command -v getdelays > /dev/null; then
	own="cgroup\\.$(cg_id rwb-delays)"
	check "a task fills more than there is" fill
	check_stall_books "delays" direct "$ENOUGH_STALLS"
	counts=$(delays RECLAIM)
	count=${counts% *} ns=${counts#* }
	stalls=$(stalled "$own\\.stalls" stalls_cgroups)
	wall=$(stalled "$own\\.ns" stalls_cgroups)
	# The kernel's accounting begins when the task need not wait for the reserves any more.
	waited=$(stalled "$own\\.part\\.pfmemalloc\\.ns" stalls_cgroups)
	[ "$waited" != missing ] || waited=0
	say "delay accounting: $count times in reclaim, $((ns / 1000000)) ms; the ledger: $stalls stalls, $((wall / 1000000)) ms, of these $((waited / 1000000)) ms waiting for the reserves"
	check_num "the task was in reclaim as often as it stalled, or more" "$count" -ge "$stalls"
	check_num "it was in reclaim for no longer than it stalled" "$ns" -le "$((wall - waited))"
	# A part of the slow path is not reclaim, and nothing says where some of the waits are.
	inside=$(stalled "$own\\.part\\.(scan|lru_lock|shrinker|throttle_[a-z]*|swap_submit|tlb)\\.ns" stalls_cgroups)
	check_num "it was there for most of the time that these causes have" "$((ns * 10))" -ge "$((inside * 8))"
else
	skip_checks $((STALL_BOOKS + 4)) "no getdelays (the kernel's tools/accounting)"
fi
section "delay accounting" $((STALL_BOOKS + 4))
unload_mod

# in_buckets ORIGIN: prints BUCKET:STALLS of its histogram, in the order of the buckets.
in_buckets()
{
	awk -v re="^$1\\\\.hist\\\\.us\\\\." '$1 ~ re { sub(re, "", $1); print $1 ":" $2 }' "$TMP/stalls" | sort -n | xargs
}

# traced_buckets ORIGIN: prints the same from the events in the trace.
traced_buckets()
{
	awk -v origin=" origin=$1 " '/ stall: / && index($0, origin) {
			for (i = 1; $i !~ /^usecs=/; i++);
			us = substr($i, 7) + 0
			for (low = us ? 1 : 0; low && low * 2 <= us && low < 8388608; low *= 2);
			n[low]++
		}
		END { for (low in n) print low ":" n[low] }' "$INSTANCE/trace" | sort -n | xargs
}

load_mod write_around=N handoff=never
cg_make rwb-max
echo 16M > "$CG/rwb-max/memory.max"
# A small buffer, as the tasks do not get the memory that it takes.
TRACE_KIB=1024 trace_start reclaimwb/stall
check "a cgroup is at its memory.max" in_cg "$CG/rwb-max" "$BIN/memhog" -c text -m 32
section "memory.max: a cgroup" 1
check_stall_books "memory.max" memcg_max 1
section "memory.max: books" "$STALL_BOOKS"
check_eq "nobody stalled at another limit" "$(stalled '(memcg_high|memcg_reclaim|node)\.stalls')" 0
check_num "the ledger has the cgroup's stalls" "$(stalled "cgroup\\.$(cg_id rwb-max)\\.stalls" stalls_cgroups)" -gt 0
section "memory.max: who stalls" 2
check_traced "$(cg_id rwb-max)"
section "memory.max: the trace" "$TRACED_CHECKS"
# All stalls of that origin belong to the cgroup, so that the trace has each stall of the histogram.
check_eq "a stall is in the bucket of its microseconds" "$(in_buckets memcg_max)" "$(traced_buckets memcg_max)"
section "memory.max: the histogram" 1
trace_stop
unload_mod

# Without swap nothing can be reclaimed: a task above memory.high sleeps for it.
load_mod write_around=N handoff=never
cg_make rwb-high
echo 0 > "$CG/rwb-high/memory.swap.max"
echo 8M > "$CG/rwb-high/memory.high"
check "a cgroup is above its memory.high" penalty
section "memory.high: a cgroup" 1
check_stall_books "memory.high" memcg_high 1
section "memory.high: books" "$STALL_BOOKS"
check_num "share of its stalls that is the penalty, per cent" "$(of_stalls memcg_high high_penalty)" -ge 50
check_eq "no other origin has a penalty" "$(stalled '(direct|memcg_max|memcg_reclaim|node|other)\.part\.high_penalty\.ns')" 0
section "memory.high: the penalty" 2
unload_mod

load_mod write_around=N handoff=never
cg_make rwb-asked
hog_in "$CG/rwb-asked" asked -c text -m 8
hog_filled asked
echo "4M swappiness=max" > "$CG/rwb-asked/memory.reclaim" 2> /dev/null
check_stall_books "memory.reclaim" memcg_reclaim 1
section "memory.reclaim: books" "$STALL_BOOKS"
check "every page came back right" hog_done asked
section "memory.reclaim: content" 1
unload_mod

finish

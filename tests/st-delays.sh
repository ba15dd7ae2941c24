#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The stalls of one task against the kernel's delay accounting of it: as many times in
# reclaim, for as long; and cgroups' limits, whose stalls are of their own origins.
# guards: rust/stalls.rs rust/stalls/ rust/cost.rs rust/rows/stalls.rs
# faults: books arithmetic
# mem: 384M
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
need_memcg
need_file /proc/sys/kernel/task_delayacct CONFIG_TASK_DELAY_ACCT
M=$(scaled 96)
# So many times 64 KiB for each MiB of M. A share of a few stalls is a matter of luck; with the
# kernel's checkers they are few, but long.
FILL=48
! is_debug_kernel || FILL=24
start_test $((4 * STALL_BOOKS + TRACED_CHECKS + 11)) "stalls against delay accounting"
set_file /proc/sys/kernel/task_delayacct 1
zram_swap_on 512
mkdir "$TMP/shm"
mount -t tmpfs -o "size=$((M * 4))M" tmpfs "$TMP/shm" || bail "no tmpfs"
undo "umount $TMP/shm"
leave_mib "$M"

# delays NAME: count and ns of one kind.
delays()
{
	awk -v k="$1" '$1 == k { getline; print $1, $2; exit }' "$TMP/delays"
}

# fill: what getdelays tells of is that very task, alone in its cgroup but for getdelays
# itself. Written to a file, as "check" prints its own lines.
fill()
{
	in_cg "$CG/rwb-delays" getdelays -d -c dd if=/dev/zero of="$TMP/shm/file" bs=64k \
		count=$((M * FILL)) > "$TMP/delays" 2>&1
}

load_mod write_around=N handoff=never
cg_make rwb-delays
if command -v getdelays > /dev/null; then
	check "a task fills more than there is" fill
	# With the kernel's checkers kswapd keeps up with a task that is as slow.
	few=10
	! is_debug_kernel || few=1
	check_stall_books "delays" direct $few
	counts=$(delays RECLAIM) own="cgroup\\.$(cg_id rwb-delays)"
	count=${counts% *} ns=${counts#* }
	stalls=$(stalled "$own\\.stalls" stalls_cgroups)
	wall=$(stalled "$own\\.ns" stalls_cgroups)
	# What the kernel accounts begins once it need not wait for the reserves any more.
	waited=$(stalled "$own\\.part\\.pfmemalloc\\.ns" stalls_cgroups)
	[ "$waited" != missing ] || waited=0
	say "delay accounting: $count times in reclaim, $((ns / 1000000)) ms; the ledger: $stalls stalls, $((wall / 1000000)) ms, of these $((waited / 1000000)) ms waiting for the reserves"
	check_num "it was in reclaim as often as it stalled, or more" "$count" -ge "$stalls"
	check_num "in reclaim for no longer than it stalled" "$ns" -le "$((wall - waited))"
	by_chance check_num "and for most of that" "$((ns * 10))" -ge "$(((wall - waited) * 7))"
	rm "$TMP/shm/file"
else
	skip_checks $((STALL_BOOKS + 4)) "no getdelays (the kernel's tools/accounting)"
fi
unload_mod

load_mod write_around=N handoff=never
cg_make rwb-max
echo 16M > "$CG/rwb-max/memory.max"
# Small: what it takes is not there for the tasks.
TRACE_KIB=1024 trace_start reclaimwb/stall
check "a cgroup is at its memory.max" in_cg "$CG/rwb-max" "$BIN/memhog" -c text -m 32
check_stall_books "memory.max" memcg_max 1
check_eq "no other limit made anybody stall" "$(stalled '(memcg_high|memcg_reclaim|node)\.stalls')" 0
check_num "the cgroup is told" "$(stalled "cgroup\\.$(cg_id rwb-max)\\.stalls" stalls_cgroups)" -gt 0
check_traced "$(cg_id rwb-max)"
trace_stop
unload_mod

# Without swap nothing can be reclaimed: whoever is above memory.high sleeps for it.
load_mod write_around=N handoff=never
cg_make rwb-high
echo 0 > "$CG/rwb-high/memory.swap.max"
echo 8M > "$CG/rwb-high/memory.high"
check "a cgroup is above its memory.high" in_cg "$CG/rwb-high" "$BIN/memhog" -c zero -m 12 -w 280
check_stall_books "memory.high" memcg_high 1
by_chance check_num "per cent of that was the penalty" "$(of_stalls memcg_high high_penalty)" -ge 50
check_eq "no other origin has any" "$(stalled '(direct|memcg_max|memcg_reclaim|node|other)\.part\.high_penalty\.ns')" 0
unload_mod

load_mod write_around=N handoff=never
cg_make rwb-asked
hog_in "$CG/rwb-asked" asked -c text -m 8
hog_filled asked
echo "4M swappiness=max" > "$CG/rwb-asked/memory.reclaim" 2> /dev/null
check_stall_books "memory.reclaim" memcg_reclaim 1
check "every page came back right" hog_done asked
unload_mod

finish

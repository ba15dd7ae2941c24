#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One guest of scripts/measure/cost.sh: pages are paged out, with what RWB_SIDE says watching. The
# figures of each round go to $RWB_RESULTS/rounds. RWB_LOAD:
#   zeros           MADV_PAGEOUT of zeros: the whole way through pageout(), and no I/O
#   swap            a cgroup at its memory.max: swapped out to a RAM disk, and in again
#   nbd             the same, swapped over NBD: the time in which the CPU is not idle
#   alloc           pages are allocated and freed, and nobody reclaims
#   switch          two tasks pass a byte back and forth, through pipes and their locks
#   net             packets go to the loopback device
# RWB_SIDE:
#   none            nobody
#   loaded          the module, groups off, enabled=N
#   writes          the module with origins, kinds, headroom and histograms, groups off
#   writes+GROUP    that, and one group
#   default         the module as it is loaded
#   default+GROUP   that, and one group
#   default-GROUP   that, without one group
#   handoff         the module as it is loaded, and handoff, which the others are without
#   handoff-alone   handoff with groups off, enabled=N
#   ftrace:GROUP    the kernel's own tracer, with the events and functions of that group
#   ftrace-stack    mm_vmscan_write_folio with its stacktrace
#   bpf:EVENT       a program that counts an event in a map, as bpftrace does for count()
#   stack-tracer    the kernel's stack tracer
# shellcheck source=../lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

RESULTS=${RWB_RESULTS:-.}
SIDE=${RWB_SIDE:-none}
LOAD=${RWB_LOAD:-zeros}
need_no_swap
need_memcg
TRACED=0
case $LOAD,$SIDE in
zeros,ftrace:shrinkers | *,ftrace:metadata | alloc,* | switch,* | net,*) ;; # not called for there
*,ftrace*) TRACED=1 ;;
esac
start_test $((3 + TRACED)) "cost of $SIDE, $LOAD"
case $LOAD in
nbd)
	need_nbd
	nbd_swap_on fast
	;;
*) brd_swap_on 64 ;;
esac
ROUNDS=6 MIB=16

# traces EVENT...: with the kernel's own tracer.
traces()
{
	for e in "$@"; do
		set_file "$TRACING/events/$e/enable" 1 || bail "no event $e"
	done
}

# traces_calls FUNCTION...: their entries and returns.
traces_calls()
{
	for f in "$@"; do
		echo "f:rwb/$f $f" >> "$TRACING/dynamic_events" || bail "cannot trace $f"
		echo "f:rwb/${f}_ret $f%return" >> "$TRACING/dynamic_events" || bail "cannot trace $f"
	done
	undo "echo > $TRACING/dynamic_events"
	traces rwb
}

# traced: events that the tracer has recorded, or lost for want of room.
traced()
{
	cat "$TRACING"/per_cpu/cpu*/stats | awk '/^(entries|overrun): / { s += $2 } END { print s + 0 }'
}

case $SIDE in
none) ;;
loaded) load_mod write_around=N handoff=never stalls=N shrinkers=N enabled=N ;;
writes) load_mod write_around=N handoff=never stalls=N shrinkers=N ;;
writes+*) load_mod write_around=N handoff=never stalls=N shrinkers=N "${SIDE#*+}=Y" ;;
default) load_mod write_around=N handoff=never ;;
default+*) load_mod write_around=N handoff=never "${SIDE#*+}=Y" ;;
handoff) load_mod write_around=N handoff=always ;;
handoff-alone) load_mod write_around=N handoff=always stalls=N shrinkers=N waits=N enabled=N ;;
default-*) load_mod write_around=N handoff=never "${SIDE#*-}=N" ;;
ftrace:*)
	case ${SIDE#*:} in
	writes) traces vmscan/mm_vmscan_write_folio ;;
	stalls)
		traces sched/sched_switch lock/contention_begin lock/contention_end \
			vmscan/mm_vmscan_lru_isolate block/block_rq_tag_wait
		traces_calls try_to_free_pages try_to_compact_pages __drain_all_pages \
			lru_add_drain_all swap_write_submit __mem_cgroup_handle_over_high
		;;
	shrinkers)
		traces vmscan/mm_shrink_slab_start vmscan/mm_shrink_slab_end
		traces_calls do_shrink_slab
		;;
	tlb)
		traces tlb/tlb_flush
		traces_calls try_to_unmap_flush try_to_unmap_flush_dirty
		;;
	metadata) traces filemap/mm_filemap_delete_from_page_cache filemap/mm_filemap_add_to_page_cache ;;
	takers) traces kmem/mm_page_alloc ;;
	*) bail "no group ${SIDE#*:}" ;;
	esac
	;;
ftrace-stack)
	set_file "$TRACING/options/stacktrace" 1 || bail "no stacktrace option"
	traces vmscan/mm_vmscan_write_folio
	;;
bpf:*)
	rm -f "$TMP/counts" "$TMP/counted"
	"$BIN/tpcount" bpf "${SIDE#*:}" "$TMP/counts" "$TMP/counted" > "$TMP/count" 2>&1 &
	undo "touch $TMP/counted"
	loop_until 50 test -e "$TMP/counts" || bail "$(cat "$TMP/count")"
	;;
stack-tracer) set_file /proc/sys/kernel/stack_tracer_enabled 1 || bail "no stack tracer" ;;
*) bail "no side $SIDE" ;;
esac

load()
{
	case $LOAD in
	zeros) "$BIN/zeroload" $MIB $ROUNDS > "$TMP/rounds" ;;
	alloc | switch | net) "$BIN/zeroload" $MIB $ROUNDS "$LOAD" > "$TMP/rounds" ;;
	swap | nbd) in_cg "$CG/rwb-cost" "$BIN/zeroload" $MIB $ROUNDS "$LOAD" > "$TMP/rounds" ;;
	*) bail "no load $LOAD" ;;
	esac
}

# passed: pages that have gone through what is measured.
passed()
{
	case $LOAD in
	alloc) awk '/^pgalloc_/ { n += $2 } END { printf "%.0f\n", n }' /proc/vmstat ;;
	switch) awk '$1 == "ctxt" { print $2 }' /proc/stat ;;
	net) awk '$1 == "lo:" { print $11 }' /proc/net/dev ;;
	*) vmstat nr_vmscan_write ;;
	esac
}

# recorded: what the module has handled so far, event by event.
recorded()
{
	[ ! -d /sys/module/reclaimwb ] || grep -E '^(events|counted|mean_cycles)\.' "$LEDGER/status"
}

case $LOAD in
swap | nbd)
	cg_make rwb-cost
	echo $((MIB / 2))M > "$CG/rwb-cost/memory.max"
	;;
esac
# The module finds out what swap is on, and what need not be probed.
ROUNDS=1 load || bail "no load"
sleep 2
recorded > "$RESULTS/before"
pages=$(passed)
check "pages are allocated, and paged out or freed" load
pages=$(($(passed) - pages))
recorded > "$RESULTS/after"
echo "$pages" > "$RESULTS/pages"
# Of the last round some stay.
check_num "they went that way" "$pages" -ge $((MIB * 256 * (ROUNDS - 1) * 9 / 10))
[ $TRACED = 0 ] || check_num "the tracer recorded" "$(traced)" -gt 0
# The first round makes page tables and swap's own structures.
sed 1d "$TMP/rounds" > "$RESULTS/rounds"
check_eq "rounds" "$(wc -l < "$RESULTS/rounds")" $((ROUNDS - 1))
[ ! -d /sys/module/reclaimwb ] || unload_mod
finish

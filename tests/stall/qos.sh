#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The block layer throttles swap-out (WBT) on a slow device: the stall ledger says so, and without
# the throttling it says nothing of it.
# After ophub/amlogic-s9xxx-armbian#641, where tasks hang in wbt_wait().
# guards: rust/ledgers/stalls.rs rust/probes/stall.rs rust/probes/function.rs rust/policy/stall.rs rust/rows/stalls.rs
# faults: books arithmetic report
# mem: 256M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
kmod null_blk gb=1 memory_backed=1 irqmode=2 completion_nsec=200000000 hw_queue_depth=64 \
	submit_queues=1 || skip_all "no null_blk"
undo "rmmod null_blk"
QUEUE=/sys/block/nullb0/queue
need_file "$QUEUE/wbt_lat_usec" CONFIG_BLK_WBT
ENOUGH=5
start_test $((STALL_BOOKS + 6)) "the block layer throttles swap-out"
# swapoff wants memory for all of it, used or not.
vm overcommit_memory 1
swap_on /dev/nullb0

# swaps NAME: a task that fills twice what its cgroup may have; from then on its stalls are over.
swaps()
{
	load_mod write_around=N
	cg_make "rwb-$1"
	echo 12M > "$CG/rwb-$1/memory.max"
	hog_in "$CG/rwb-$1" "$1" -m 24
	hog_filled "$1"
	quiesce
}

rq_qos()
{
	stalled 'memcg_max\.part\.rq_qos\.ns'
}

echo 75000 > "$QUEUE/wbt_lat_usec" || bail "no write-back throttling"
swaps throttled
check_stall_books "throttled" memcg_max $ENOUGH
show_parts memcg_max
check_eq "the cause can be told" "$(row stalls part.rq_qos)" available
check_num "per cent of the stalls throttled" "$(of_stalls memcg_max rq_qos)" -ge 10
# What it submits is submitted by swap_write_submit(): the throttling is told apart from that.
check_num "most of which was not called submission, per cent" \
	"$(share "$(rq_qos)" $(($(rq_qos) + $(stalled 'memcg_max\.part\.swap_submit\.ns'))))" -ge 50
hog_kill throttled
unload_mod

echo 0 > "$QUEUE/wbt_lat_usec" || bail "write-back throttling cannot be switched off"
swaps free
check "without it, the ledger can be read" take_stalls
check_num "there were stalls" "$(stalled 'memcg_max\.stalls')" -ge $ENOUGH
# The limits are looked at still, for each bio.
check_eq "and none was throttled, per cent" "$(of_stalls memcg_max rq_qos)" 0
# To read all of it back from this device would take minutes.
hog_kill free
unload_mod

finish

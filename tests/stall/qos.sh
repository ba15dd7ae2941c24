#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The block layer throttles swap-out (WBT) on a slow device, and the stall ledger has that cause.
# Without the throttling it does not.
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
# swapoff asks for memory for the whole device, used or not.
vm overcommit_memory 1
swap_on /dev/nullb0

# swaps NAME: a task fills twice what its cgroup may have. After that it stalls no more.
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
check_eq "the module can tell this cause" "$(row stalls part.rq_qos)" available
by_chance check_num "share of the stalls that was throttled, per cent" "$(of_stalls memcg_max rq_qos)" -ge 10
# swap_write_submit() submits, and is throttled inside: the two causes must be told apart.
check_num "share of that which was not taken for submission, per cent" \
	"$(share "$(rq_qos)" $(($(rq_qos) + $(stalled 'memcg_max\.part\.swap_submit\.ns'))))" -ge 50
hog_kill throttled
unload_mod

echo 0 > "$QUEUE/wbt_lat_usec" || bail "write-back throttling cannot be switched off"
swaps free
check "without throttling: the ledger can be read" take_stalls
check_num "there were stalls" "$(stalled 'memcg_max\.stalls')" -ge $ENOUGH
# The block layer still looks at its limits for each bio. A pause of the host there is a per cent.
by_chance check_eq "share of the stalls that was throttled, per cent" "$(of_stalls memcg_max rq_qos)" 0
# It would take minutes to read everything back from this device.
hog_kill free
unload_mod

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The helper is switched off while a disk does not answer and a worker has windows in flight there.
# Switching it off waits for the disk. What was queued for a swap device that is slow, but well, is
# written meanwhile, and the device can be taken out of use.
# guards: rust/helper.rs rust/helper/swap.rs rust/helper/swap/lane.rs
# faults: progress lifetime
# disk: 512M
# nbd: slow
# variants: base
# timeout: 400
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_handoff
need_memcg
need_disk disk0
need_dm
need_nbd slow
start_test plan-at-end "the helper is switched off, and a disk is stuck"
load_mod write_around=Y handoff=always
disk_attach disk0
dm_make rwb-stuck "$DISK"
STUCK=$DISK
# Nothing of ext4 itself must wait for the disk.
fs_new ext4 "$STUCK" commit=600,no_prefetch_block_bitmaps
around_cg rwb-file 12

is_stuck()
{
	[ "$(around "device.$(bdi_of "$STUCK").stuck")" = "$1" ]
}

queued()
{
	[ "$(handoff pending.requests)" -gt 7 ]
}

writeback()
{
	vmstat nr_writeback
}

# only_stuck: is nothing under writeback but what the stuck disk has?
only_stuck()
{
	[ "$(writeback)" -le "$stuck" ]
}

load_ends()
{
	echo 1 > "$CG/rwb-swap/cgroup.kill" 2> /dev/null
	wait $load
}

file_in "$ACG" write -p 2048 -o random "$MNT/file" || bail "cannot write"
dm_stop rwb-stuck
undo "dm_go rwb-stuck"
around_cg_limit 4
check "a worker has windows at a disk that does not answer" loop_until 300 is_stuck 1
# Each CPU keeps a part of the count to itself for a second.
loop_until 100 is_idle writeback "" || bail "the disk is not stuck"
stuck=$(writeback)

nbd_swap_on slow
cg_make rwb-swap
echo 24M > "$CG/rwb-swap/memory.max"
in_cg "$CG/rwb-swap" "$BIN/swapload" -n 16 -m 3 -T 60 > "$TMP/load" 2>&1 &
load=$!
undo "load_ends"
check "requests wait for the writer" loop_until 300 queued
set_to write_around=N &
setter=$!
loop_until 300 waits_in_kernel $setter
load_ends
check "what was queued is written" loop_until 300 only_stuck
say "under writeback: $(writeback), at the disk: $stuck"
check "the swap device can be taken out of use" swapoff "$NBD_DEV"
check "switching off waits for the disk" kill -0 $setter
dm_go rwb-stuck
check "it ends when the disk answers" loop_until 300 has_ended $setter
check_eq "the helper is off" "$(cat "$PARAMS/write_around")" N
fs_cold "$STUCK"
check "nothing on the disk was lost" proves verify -p 2048 "$MNT/file"
fs_umount "$STUCK"
section "a stuck disk" 8

finish

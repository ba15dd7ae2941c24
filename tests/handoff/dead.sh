#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Swap devices stop answering. The ledger says so within the time limit, tasks that wait for room go
# on as they do without the module, another swap device is written by its own writer as before, and
# when the device answers again, handoff goes on. The module can be unloaded meanwhile. The device
# is a disk whose writes take forever, and then NBD whose network is down.
# tier: all (nbd/frozen.sh has a dead device)
# guards: rust/helper/swap/ rust/policy/link.rs qemu/patches/0002*
# faults: progress
# nbd: slow
# disk: 512M 512M
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_nbd slow
need_disk disk0 disk1
need_dm delay
need_swap_priority
NIC=$(first_nic)
[ -n "$NIC" ] || skip_all "no network device"
start_test plan-at-end "swap devices that stop answering"
load_handoff
ENOUGH=8192
! is_debug_kernel || ENOUGH=2048
AIR=24
# kswapd has to work long before there is no memory left.
vm watermark_scale_factor 300

# of DEV KEY: prints a row of that device.
of()
{
	handoff "device.$(bdi_of "$1").$2"
}

is_late()
{
	[ "$(of "$1" late)" = "$2" ]
}

# has_more DEV KEY THAN: has the row grown beyond that? It may not be there yet.
has_more()
{
	local n

	n=$(of "$1" "$2")
	is_number "$n" && [ "$n" -gt "$3" ]
}

in_flight()
{
	has_more "$1" inflight_pages 0
}

# presses NAME: a task fills memory, slowly, until the first page is swapped out: a dead device may
# never take a second one. The task ends before there is no memory left, so that the rest of the
# test has some.
presses()
{
	[ "$BALLASTS" -gt 0 ] || leave_mib $((32 + AIR))
	ballast $AIR
	hog_start "$1" -m 400 -w 600 -P 100000 -U 1
	hog_filled "$1"
	hog_kill "ballast$BALLASTS"
	BALLASTS=$((BALLASTS - 1))
}

# --- one of two disks: its writes take ten minutes

disk_attach disk0
UNDER=$DISK
dm_make rwb-dead "$UNDER"
DEAD=$DISK
disk_attach disk1
WELL=$DISK
swap_on "$DEAD" 10
dm_table rwb-dead "$UNDER" delay 600000 || bail "no slow disk"
presses first
check "a disk is written to" in_flight "$DEAD"
check "it is late" loop_until 300 is_late "$DEAD" 1
# This one is preferred from now on.
swap_on "$WELL" 20
hog_start other -m 400 -w 600 -U $ENOUGH
hog_filled other
check "the other disk goes on" has_more "$WELL" written 64
check_eq "it is not called late" "$(of "$WELL" late)" 0
check_eq "the dead disk still is late" "$(of "$DEAD" late)" 1
dm_table rwb-dead "$UNDER" linear || bail "it stays dead"
check "the dead disk recovers" loop_until 300 is_late "$DEAD" 0
check "every page is right" hog_done first
check "every page of the other is right" hog_done other
section "one of two disks" 8
drop_ballast
check_handoff_books "disks"
section "disks: books" "$HANDOFF_BOOKS"
for dev in "$DEAD" "$WELL"; do
	swapoff "$dev" || bail "swapoff $dev"
done

# --- NBD, its network down

nbd_swap_on slow
ip link set "$NIC" down
undo "ip link set $NIC up"
presses second
check "a request is in flight" in_flight "$NBD_DEV"
check "NBD is late" loop_until 600 is_late "$NBD_DEV" 1
ip link set "$NIC" up
check "NBD recovers" loop_until 1200 is_late "$NBD_DEV" 0
check "every page is right after NBD's recovery" hog_done second
section "NBD" 4
check_handoff_books "NBD"
section "NBD: books" "$HANDOFF_BOOKS"

# --- unloaded while the device is dead

# No page may have to be read from a dead device, least of all a page of this shell.
swapoff "$NBD_DEV" || bail "swapoff $NBD_DEV"
swapon "$NBD_DEV" || bail "swapon $NBD_DEV"
ip link set "$NIC" down
presses third
check "NBD is late again" loop_until 600 is_late "$NBD_DEV" 1
# If the writer is inside the device, the log says what rmmod waits for. How much the connection takes
# before a writer has to wait in it is up to TCP.
(unload_mod; echo $? > "$TMP/unloaded") &
loop_until 50 test -e "$TMP/unloaded"
by_chance check "the log says what it waits for" \
	sh -c "dmesg | tail -n 50 | grep -q 'waiting for swap device .*does not answer'"
ip link set "$NIC" up
wait $!
check_eq "it is unloaded once the device answers, or before" "$(cat "$TMP/unloaded")" 0
check "every page is right after the unload" hog_done third
section "unloaded" 4
drop_ballast

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The device goes away while the worker writes to it: from its bus (virtio), or with its connection
# (NBD). The filesystem can be unmounted, the worker gives up what was queued, and when the device
# is back, it has what had been synced.
# guards: rust/helper/file/worker.rs rust/helper/file/lane.rs rust/kernel_ext/fs.rs
# faults: lifetime
# disk: 1G 1G
# nbd: fast
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk1 fast
ROUNDS=$(scaled 8)
CHECKS=$((AROUND_BOOKS + 5))
types="ext4 xfs" kinds=3
if is_debug_kernel; then
	types=xfs kinds=2
	! fs_missing xfs > /dev/null || types=ext4
fi
start_test $((kinds * CHECKS)) "device removal against the worker"
load_helper
keeps_pages

# A virtio disk is removed from its bus. Scanning the bus finds it again.
virtio_remove()
{
	echo 1 > "$(readlink -f "/sys/block/${1##*/}/device/..")/remove"
}

virtio_back()
{
	echo 1 > /sys/bus/pci/rescan
	loop_until 50 virtio_disk disk1 > /dev/null && DISK=$(virtio_disk disk1)
}

nbd_remove()
{
	nbd-client -d "$1" > /dev/null 2>&1
}

nbd_back()
{
	loop_until 50 nbd_disk_gone "$DISK" && disk_attach fast
}

nbd_disk_gone()
{
	[ ! -e "/sys/block/${1##*/}/pid" ]
}

# one_round KIND TYPE: removes the device as soon as its row in the ledger has folios queued.
one_round()
{
	fs_new "$2" "$DISK"
	file write -y -n 4 -p 64 -g "$THIS_ROUND" "$MNT/synced" || return 1
	sync -f "$MNT/synced.0"
	file_bg remove "$ACG" write -f -n 8 -p 512 -o random "$MNT/file"
	! loop_until 900 device_rows_hold || queued=$((queued + 1))
	! "$1_remove" "$DISK" || removed=$((removed + 1))
	# The writes of the task fail, or it waits for a filesystem that is shut down.
	hog_kill remove
	loop_until 100 umount "$MNT" || return 1
	"$1_back" || return 1
	fs_cold "$DISK"
	! proves verify -n 4 -p 64 -g "$THIS_ROUND" "$MNT/synced" || right=$((right + 1))
	fs_umount "$DISK"
	return 0
}

# removes KIND TYPE
removes()
{
	around_cg "rwb-remove-$1-$2" 6
	removed=0 right=0 queued=0
	check "$1, $2: $ROUNDS rounds" all_rounds one_round "$1" "$2"
	check_eq "$1, $2: the device was removed" "$removed" "$ROUNDS"
	check_eq "$1, $2: folios were queued for it" "$queued" "$ROUNDS"
	check_eq "$1, $2: the synced files are there" "$right" "$ROUNDS"
	check_around_books "$1, $2"
	check_not "$1, $2: the ledger has nothing of a device that is gone" device_rows_hold
}

# device_rows_hold: does the row of any device have something queued or in flight? The row of a
# removed device may stay until its number is used again.
device_rows_hold()
{
	grep -qE '^device\.[0-9:]*\.(pending|inflight_pages|stuck) [1-9]' "$LEDGER/helper"
}

disk_attach disk1
virtio=$DISK
case $virtio in
/dev/vd*)
	# On a slow kernel each filesystem and each way has only one run.
	for type in $types; do
		if why=$(fs_missing "$type"); then
			skip_checks $CHECKS "$type: $why"
		else
			removes virtio "$type"
		fi
	done ;;
*) skip_checks $(((kinds - 1) * CHECKS)) "no virtio disk" ;;
esac
disk_attach fast
removes nbd ext4

finish

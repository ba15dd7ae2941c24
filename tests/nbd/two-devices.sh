#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two swap devices have different priorities and different servers, one of them on a thin link. The
# first device is small and soon full, and the second takes the rest. Then the first is taken away
# under load, and its pages find room on the second.
# nbd: slow fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd slow
need_swap_priority
nbd_start 3 "two swap devices"
nbd_attach fast
SECOND=$NBD_DEV
FIRST_DEV=/dev/nbd1
# The commands that undo this use the variable.
undo "NBD_DEV=$SECOND"
NBD_DEV=$FIRST_DEV
nbd_attach slow
undo "NBD_DEV=$FIRST_DEV"
swap_on "$SECOND" 1
mkswap "$FIRST_DEV" 16384 > /dev/null 2>&1 || bail "mkswap $FIRST_DEV"
$SWAPON -p 2 "$FIRST_DEV" || bail "swapon $FIRST_DEV"
used()
{
	awk -v d="$1" '$1 == d { print $4 }' /proc/swaps
}
load_begin
loop_until 600 swapped_or_over 6000
check_num "the first device is used, KiB" "$(used "$FIRST_DEV")" -gt 0
check_num "the second device is used, KiB" "$(used "$SECOND")" -gt 0
goes_on 500
check "the first device is taken away" swapoff "$FIRST_DEV"
goes_on 500
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A fifth of the writes fail with EIO for a while. A page that could not be written stays in memory
# and is written again later, so that nobody may notice. (nbdkit chooses the requests, and its
# choice has no seed.)
# nbd: eio-write
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd eio-write
need_befall
nbd_start 1 "EIO for a share of the writes"
nbd_swap_on eio-write
load_begin
befall fail eio-write
fails()
{
	[ "$(said 'I/O error, dev nbd0, .*WRITE')" -ge "$1" ]
}
loop_until 600 fails 5
befall heal eio-write
check "writes failed" fails 5
goes_on 1000
load_end
nbd_finish

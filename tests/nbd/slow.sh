#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A server takes its time: 20 ms for a read, 40 for a write.
# nbd: delay:rdelay=20ms,wdelay=40ms
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd delay
nbd_start 0 "a slow server"
nbd_swap_on delay
load_begin
goes_on 500
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A server is killed, and the device is connected to another server, which serves the same file at
# another address. When that one is killed, the device goes back to the first.
# nbd: same other
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd same
need_befall
nbd_start 1 "a server killed: the other one goes on"
nbd_keep_on same other
load_begin
befall kill same
loop_until 600 reconnected 1
goes_on 1000
befall again same
befall kill other
loop_until 600 reconnected 2
check "it was connected again each time" reconnected 2
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each connection is closed in the middle of what is written to the server, after a number of bytes.
# The device is connected again, and requests under way are sent again as a whole.
# nbd: close
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd close
nbd_start 1 "connections closed in the middle of a payload"
nbd_keep_on close
load_begin
loop_until 1200 reconnected 1
check "connections were closed" reconnected 1
load_end
nbd_finish

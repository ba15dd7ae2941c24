#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each connection breaks off in the middle of a reply, after a number of bytes from the server. The
# device is connected again, and requests under way are sent again.
# nbd: truncate
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd truncate
nbd_start 1 "truncated replies"
nbd_keep_on truncate
load_begin
loop_until 1200 reconnected 2
check "connections broke off" reconnected 2
load_end
nbd_finish

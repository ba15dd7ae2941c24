#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each connection breaks off in the middle of a reply, after so many bytes from the server;
# the device is connected again and what was under way is sent anew.
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

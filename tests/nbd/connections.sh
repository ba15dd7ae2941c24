#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One device has four connections. The kernel has at most as many queues as CPUs, each with its own
# connection and lock. The other connections are there in case one of these is lost.
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
nbd_start 1 "four connections"
nbd_keep_on -c 4 fast
check_eq "the device has four connections" "$(awk -v to=":$(printf %04X "$NBD_PORT")\$" \
	'$3 ~ to && $4 == "01"' /proc/net/tcp | grep -c .)" 4
load_begin
goes_on 2000
load_end
nbd_finish

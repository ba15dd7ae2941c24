#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The network delays packets by 10 ms, give or take 5. (netem does that in the guest, to what the
# guest sends: requests, and acknowledgements of replies.)
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_netem
nbd_start 2 "netem delay 10ms 5ms 25%"
nbd_swap_on fast
netem delay 10ms 5ms 25%
load_begin
goes_on 2000
check "the network delays packets" netem_is 'delay 10ms +5ms 25%'
check_num "packets went through it" "$(netem_count sent)" -gt 0
load_end
nbd_finish

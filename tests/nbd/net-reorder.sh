#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The network reorders packets: one in four goes at once, the others 10 ms later. (netem does that
# in the guest, to what the guest sends: requests, and acknowledgements of replies.)
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_netem
nbd_start 2 "netem delay 10ms reorder 25% 50%"
nbd_swap_on fast
netem delay 10ms reorder 25% 50%
load_begin
goes_on 2000
check "the network reorders packets" netem_is 'delay 10ms reorder 25% 50%'
check_num "packets went through it" "$(netem_count sent)" -gt 0
load_end
nbd_finish

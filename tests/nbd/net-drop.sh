#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The network drops one packet in fifty. (netem does that in the guest, to what the guest sends:
# requests, and acknowledgements of replies.)
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_netem
nbd_start 1 "netem loss 2%"
nbd_swap_on fast
netem loss 2%
load_begin
goes_on 2000
check_num "packets were dropped" "$(netem_count dropped)" -gt 0
load_end
nbd_finish

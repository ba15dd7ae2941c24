#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The network duplicates one packet in ten. (netem does that in the guest, to what the guest sends:
# requests, and acknowledgements of replies.)
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_netem
nbd_start 2 "netem duplicate 10%"
nbd_swap_on fast
netem duplicate 10%
load_begin
goes_on 2000
check "the network duplicates packets" netem_is 'duplicate 10%'
check_num "packets went through it" "$(netem_count sent)" -gt 0
load_end
nbd_finish

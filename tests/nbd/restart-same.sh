#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A server is killed and started again, twice. The device is connected to it again, at the same
# address, and requests wait for that.
# guards: rust/helper/swap/ rust/ledgers/nbd.rs rust/probes/nbd.rs
# faults: data progress
# nbd: same
# mem: 256M
# timeout: 600
# variants: base
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd same
need_befall
nbd_start 2 "a server killed, and started again"
nbd_keep_on same
load_begin
befall kill same
befall again same
loop_until 600 reconnected 1
goes_on 1000
# The host starts it some seconds later, as this script may be waiting for it.
befall bounce same
loop_until 600 reconnected 2
check "it was connected again each time" reconnected 2
load_end
if [ "$SIDE" = stock ]; then
	skip_checks 1 "no ledger on this side"
else
	check_num "the ledger has requests that were given back meanwhile" \
		"$(sum "$LEDGER/nbd" 'device\.nbd0\.[a-z]*\.requeues')" -gt 0
fi
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A thin link: 40 Mbit/s in each direction, so whoever submits a large request holds the
# connection for as long (netem in the guest for what it sends, which makes TCP wait; the
# server's own rate for what that sends). Where requests are followed, that is seen.
# nbd: slow
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd slow
need_netem
nbd_start 1 "a link of 40 Mbit/s"
nbd_swap_on slow
netem rate 40mbit
load_begin
goes_on 500
load_end

# took PHASES: ns of all writes.
took()
{
	awk -v re="^device\\.nbd0\\.write\\.phase\\.($1)\\.ns\$" '$1 ~ re { s += $2 }
		END { printf "%.0f\n", s }' "$LEDGER/nbd"
}

if [ "$SIDE" != stock ]; then
	say "writes, ms: lock $(($(took lock) / 1000000)), sent $(($(took 'header|payload') / 1000000)), server $(($(took server) / 1000000)), reply $(($(took reply) / 1000000))"
fi
if [ "$SIDE" = observer ]; then
	check_num "of the writes' time more than a third was spent until they were sent" \
		$((2 * $(took 'lock|header|payload'))) -gt "$(took 'server|reply|requeued')"
else
	# The helper sends no more at once than the link takes: its writes are on their way, not
	# in a queue for it.
	skip_checks 1 "not on this side"
fi
nbd_finish

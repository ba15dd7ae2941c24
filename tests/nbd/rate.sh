#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A thin link has 40 Mbit/s in each direction, so that a task that submits a large request holds the
# connection for a long time. (In the guest netem limits what it sends, which makes TCP wait. The
# server's own rate limits what the server sends.) If requests are followed, the ledger shows that
# time.
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

# took PHASES: prints ns of all writes.
took()
{
	awk -v re="^device\\.nbd0\\.write\\.phase\\.($1)\\.ns\$" '$1 ~ re { s += $2 }
		END { printf "%.0f\n", s }' "$LEDGER/nbd"
}

if [ "$SIDE" != stock ]; then
	say "writes, ms: lock $(($(took lock) / 1000000)), sent $(($(took 'header|payload') / 1000000)), server $(($(took server) / 1000000)), reply $(($(took reply) / 1000000))"
fi
if [ "$SIDE" = observer ]; then
	check_num "more than a third of the writes' time passed before they were sent" \
		$((2 * $(took 'lock|header|payload'))) -gt "$(took 'server|reply|requeued')"
else
	# The helper sends no more at once than the link takes. Its writes are on their way, not in
	# a queue for the link.
	skip_checks 1 "only the observer's side has this"
fi
nbd_finish

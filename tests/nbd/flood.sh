#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Ordinary sockets receive as much as they can, from four connections, while the replies for the
# swap device come in beside them.
# nbd: fast flood
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
nbd_start 1 "ordinary sockets flood the receive path"
nbd_swap_on fast
nbd_address flood || bail "no server named 'flood'"
FLOODS=
for _ in 1 2 3 4; do
	nc "$NBD_HOST" "$NBD_PORT" > /dev/null 2>&1 &
	FLOODS="$FLOODS $!"
done
undo "kill $FLOODS 2> /dev/null"
received()
{
	awk '/ (eth|en)[a-z0-9]*:/ { sub(/.*:/, ""); n += $1 } END { printf "%d\n", n / 4096 }' /proc/net/dev
}
at=$(received)
read_in=$(vmstat pswpin)
load_begin
goes_on 2000
check_num "more was received than was swapped in, pages" $(($(received) - at)) -gt \
	$((2 * ($(vmstat pswpin) - read_in)))
# shellcheck disable=SC2086 # words
kill $FLOODS
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# No free page is left while ordinary sockets receive as much as they can, through a network card
# whose driver takes a page of the reserves for a packet if there is no other. Packets in such pages
# are dropped unless they are the swap device's. The kernel counts them (PFMemallocDrop), and the
# swap device's own packets come through.
# nbd: fast flood
# nic: 8139
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_reserve_hog
case $(readlink "/sys/class/net/$NIC/device/driver") in
*/8139cp) ;;
*) skip_all "$NIC is no 8139cp: its driver may not receive into pages of the reserves" ;;
esac
ROUNDS=6
nbd_start 3 "packets in pages of the reserves"
reserve_hog_on
nbd_swap_on fast
nbd_address flood || bail "no server named 'flood'"
FLOODS=
for _ in 1 2 3 4 5 6 7 8; do
	nc "$NBD_HOST" "$NBD_PORT" > /dev/null 2>&1 &
	FLOODS="$FLOODS $!"
done
undo "kill -KILL $FLOODS 2> /dev/null"
# The receivers stop and go on. What comes while they are stopped is kept in pages that were not in
# use before. This needs no command, as none could be started.
mkfifo "$TMP/tick"
(
	exec 3<> "$TMP/tick"
	# shellcheck disable=SC2086,SC3045 # words; busybox's and bash's read have -t
	while :; do
		kill -STOP $FLOODS
		read -r -t 0.1 <&3
		kill -CONT $FLOODS
		read -r -t 0.1 <&3
	done 2> /dev/null
) &
TICK=$!
undo "kill $TICK 2> /dev/null"

# dropped: prints PFMemallocDrop. TcpExt has one line of names and one of numbers.
dropped()
{
	awk '/^TcpExt:/ && !col { for (i = 2; i <= NF; i++) if ($i == "PFMemallocDrop") col = i; next }
		/^TcpExt:/ { print $col }' /proc/net/netstat
}

before=$(dropped)
load_begin
reserves_down 0 $ROUNDS 15
check_eq "rounds in which the hog held the reserves" "$HELD" $ROUNDS
kill $TICK
# shellcheck disable=SC2086 # words
kill -KILL $FLOODS
load_end
check_num "packets in pages of the reserves were dropped" $(($(dropped) - before)) -gt 0
if [ "$SIDE" = stock ]; then
	skip_checks 1 "stock does not count drops by where they happen"
else
	check_eq "the ledger has them all" "$(row reserves drops.packets)" $(($(dropped) - before))
	say "$(grep -E '^drop\.|^net_receive' "$LEDGER/reserves" | tr '\n' ' ')"
fi
nbd_finish

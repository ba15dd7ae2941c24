#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One point of the map of swap over NBD (scripts/measure/nbd-map.sh): more memory is in use than
# there is, and the host says how. Without any of these settings, by hand, this is the map's base
# point.
#   RWB_SET          MiB in use beyond those that are left (80)
#   RWB_MIN_FREE     vm.min_free_kbytes (the kernel's own)
#   RWB_LINK         Mbit/s in each direction (as fast as it goes)
#   RWB_DELAY        ms more for a round trip (0)
#   RWB_TASKS        tasks (2)
#   RWB_CONNECTIONS  connections (1)
#   RWB_HOG          free pages in each zone that a reserve hog leaves (no hog)
#   RWB_AGAIN        how often it then takes what has become free meanwhile (0)
# The server is "slow", at the speed of the link, if that is limited, and "fast" if not.
# mem: 256M
# timeout: 1900
. "$(dirname "$0")/../lib/nbd.sh"

SET=${RWB_SET:-80} LINK=${RWB_LINK:-0} DELAY=${RWB_DELAY:-0} HOG=${RWB_HOG:-} AGAIN=${RWB_AGAIN:-0}
CONNECTIONS=${RWB_CONNECTIONS:-1} TASKS=${RWB_TASKS:-2} ROUNDS=3 CHECKS=0 SERVER=fast
EACH=$(((LEAVE + SET + TASKS - 1) / TASKS))
[ "$LINK" = 0 ] || SERVER=slow

need_nbd $SERVER
if [ -n "$HOG" ]; then
	need_reserve_hog
	CHECKS=1
fi
[ "$LINK$DELAY" = 00 ] || need_netem
nbd_start $CHECKS "set=$SET min_free=${RWB_MIN_FREE:-own} link=$LINK delay=$DELAY tasks=$TASKS connections=$CONNECTIONS hog=${HOG:-no} again=$AGAIN"
[ -z "$HOG" ] || reserve_hog_on
if [ "$CONNECTIONS" = 1 ]; then
	nbd_swap_on $SERVER
else
	# A request that waits for a slow link must not be taken for lost.
	nbd_keep_on -t 900 -c "$CONNECTIONS" $SERVER
fi
[ -z "${RWB_MIN_FREE:-}" ] || vm min_free_kbytes "$RWB_MIN_FREE" || bail "min_free_kbytes $RWB_MIN_FREE"
if [ "$LINK$DELAY" != 00 ]; then
	# netem holds back what is sent so that TCP waits. The server's own rate limits what the
	# server sends. That rate alone would limit nothing on the way to the server: nbdkit takes
	# a request whole off the wire, and the next ones, and waits then.
	set -- delay "${DELAY}ms"
	[ "$LINK" = 0 ] || set -- "$@" rate "${LINK}mbit"
	netem "$@"
fi

load_begin
[ -z "$HOG" ] || reserves_down "$HOG" $ROUNDS "$AGAIN"
goes_on 1000
# The deadline is four times what the link needs to take everything that does not fit there and
# back, and a round trip for each page, but no more than 25 minutes.
pages=$((SET * 256))
[ "$LINK" = 0 ] || DEADLINE=$((DEADLINE + 8 * pages * 4096 * 8 / (LINK * 1000000)))
DEADLINE=$((DEADLINE + pages * DELAY / 1000 / TASKS))
[ "$DEADLINE" -le 1500 ] || DEADLINE=1500
STILL=60
[ -z "$HOG" ] || check_num "rounds in which the hog held the reserves" "$HELD" -gt 0
load_end
DEADLINE=150
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A server is killed and started again. nbd-client can deal with that by itself: -persist, by ioctl.
# But NBD_DO_IT ends with the connection, and requests under way end with it: tasks get SIGBUS, or
# are killed because nothing can be written any more. (nbdlink and dead_conn_timeout do better, see
# restart-same.)
# nbd: same
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd same
need_befall
KNOWN="sigbus oom"
EVIDENCE="requests under way fail with I/O errors when the server goes (console), as NBD_DO_IT ends with the connection"
nbd_start 1 "a server killed, nbd-client -persist"
nbd_address same || bail "no NBD server named 'same'"
nbd-client "$NBD_HOST" "$NBD_PORT" "$NBD_DEV" -swap -persist -nonetlink \
	-timeout 5 > "$TMP/nbd-client" 2>&1 ||
	bail "nbd-client: $(tail -n 1 "$TMP/nbd-client")"
loop_until 50 nbd_connected || bail "$NBD_DEV did not come up"
undo "nbd-client -nonetlink -d $NBD_DEV > /dev/null 2>&1; loop_until 50 nbd_free"
swap_on "$NBD_DEV"
load_begin
befall kill same
befall again same
fails()
{
	[ "$(said 'I/O error, dev nbd0|nbd0: .*[Rr]eceive control failed|nbd0: shutting down')" -gt 0 ]
}
check "the kernel has lost the server" loop_until 600 fails
goes_on 1000
load_end
nbd_finish

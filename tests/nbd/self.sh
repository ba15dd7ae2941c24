#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The server is a process of this machine, so what reclaim writes it has to receive and to store while
# memory is short. It is written with care: its memory is locked, it is a PR_SET_IO_FLUSHER, it
# writes its disk directly, it is never OOM-killed, and more memory is kept free. (With the kernel's own
# min_free_kbytes stock stood still after its first pages.)
# disk: 512M
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

NEED_KIB=${NEED_KIB:-0}
need_no_swap
need_disk disk0
kmod nbd || skip_all "no nbd in this kernel"
case ${SELF:-careful} in
careful)
	set -- -c -d
	what="a server of this machine"
	KNOWN="hang" EVIDENCE="stock stood still for 291 s in one of its runs, not for want of a packet"
	;;
needy)
	# It may well need what only its own device could free.
	set -- ${NEED_KIB:+-k "$NEED_KIB"}
	what="a server of this machine, as any program, that takes $NEED_KIB KiB for each request"
	EXPECT="survived oom" KNOWN="hang"
	EVIDENCE="the server waits for a page of its cache, GFP_NOIO, and reclaim for the server"
	;;
esac
nbd_start 1 "$what"
disk_attach disk0
self_attach "$@"
[ "${SELF:-careful}" = needy ] || vm min_free_kbytes 8192
swap_on "$NBD_DEV"
stored=$(written_sectors "$DISK")
load_begin
goes_on 2000
load_end
say "packets dropped as they lay in pages of the reserves: $(awk '/^TcpExt:/ {
	if (!n) { n = split($0, name); next }
	for (i = 1; i <= n; i++) if (name[i] == "PFMemallocDrop") print $i }' /proc/net/netstat)"
sync
check_num "the server stored it on its disk, sectors" $(($(written_sectors "$DISK") - stored)) -gt 0
nbd_finish

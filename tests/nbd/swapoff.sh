#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# swapoff runs under load, on the only device, with more in use than there is memory. It fails, or
# is killed for memory, and no task suffers from it.
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
nbd_start 2 "swapoff under load"
nbd_swap_on fast
load_begin
swaps_off()
{
	# swapoff asks to be killed before others.
	(echo 1000 > /proc/self/oom_score_adj; swapoff "$NBD_DEV") > "$TMP/swapoff" 2>&1 &
	wait $!
}
swaps_off
rc=$?
say "swapoff: $(cat "$TMP/swapoff")"
check_num "swapoff failed, or was killed: its exit code" "$rc" -gt 0
check "swap is still there" grep -q "^$NBD_DEV " /proc/swaps
goes_on 500
load_end
nbd_finish

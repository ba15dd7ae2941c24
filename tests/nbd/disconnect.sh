#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# nbd-client -d runs under load: the device is gone for good, with the pages on it. Tasks that want
# one of these pages get SIGBUS. A page that cannot be written any more stays in memory, and may
# cost a task its life. The kernel goes on, and so does swapoff.
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
EXPECT="sigbus oom"
nbd_start 2 "nbd-client -d under load"
nbd_swap_on fast
load_begin
check "nbd-client says that it is done" nbd-client -d "$NBD_DEV"
is_gone()
{
	[ "$(said "${NBD_DEV##*/}: (NBD_DISCONNECT|shutting down sockets)")" -gt 0 ]
}
check "the kernel has let the server go" loop_until 300 is_gone
goes_on 1000
load_end
nbd_finish

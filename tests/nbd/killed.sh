#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A server is killed for good. Without -timeout the kernel never gives a request up, so that
# everybody waits until nbd-client -d ends that. Then tasks get SIGBUS, or are killed because
# nothing can be written any more. Nobody waits forever.
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_befall
EXPECT="sigbus oom"
nbd_start 2 "a server killed for good"
nbd_swap_on fast
load_begin
befall kill fast
lost()
{
	[ "$(said "${NBD_DEV##*/}: (Receive control|Send control|Send data) failed")" -gt 0 ]
}
check "the kernel has lost the server" loop_until 300 lost
check "nbd-client says that it is done" nbd-client -d "$NBD_DEV"
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One in twenty reads fails with EIO until a task has noticed: it gets SIGBUS, as there is no other
# copy of its page. No task may see a page that is not its own.
# guards: rust/helper/swap/ rust/policy/nbd.rs
# faults: data progress
# nbd: eio-read
# mem: 256M
# timeout: 600
# variants: base
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd eio-read
need_befall
EXPECT=sigbus
nbd_start 1 "EIO for a share of the reads"
nbd_swap_on eio-read
load_begin
befall fail eio-read
fails()
{
	[ "$(said 'I/O error, dev nbd0, .*READ')" -ge "$1" ]
}
loop_until 600 has_lost
befall heal eio-read
check "reads failed" fails 1
goes_on 1000
load_end
nbd_finish

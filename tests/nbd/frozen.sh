#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A server that stops for good while nobody has set a timeout: whoever waits for one of its
# pages hangs, on each side. What a hang looks like here: a deadline, and who waits for what.
# The load has a cgroup of its own with a limit: where all memory is short nobody else goes on
# either, this shell's commands included, and init ends it at the script's own deadline.
# guards: rust/helper/swap/ rust/ledgers/nbd.rs
# faults: progress report
# nbd: fast
# mem: 272M
# timeout: 300
# variants: base
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_befall
need_memcg
# The swap writer hangs there, and no task of the load: its limit has one killed, as without swap.
EXPECT='' KNOWN=hang
[ "$SIDE" != helper ] || EXPECT=oom
# swapoff needs the pages as well.
SWAPOFF_S=30
EVIDENCE="without a timeout (nbd-client -t) a request waits for its reply for ever, and its task with it"
STILL=15
nbd_start 1 "a server that stops for good"
cg_make rwb-load
echo "${LEAVE}M" > "$CG/rwb-load/memory.max"
LOAD_CG=$CG/rwb-load
nbd_swap_on fast
load_begin
befall freeze fast
check "swap stands still" loop_until 100 stands_still
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A server stops for good, and nobody has set a timeout. A task that waits for one of its pages
# hangs, on each side. This shows what a hang looks like here: a deadline passes, and the console
# says which task waits for what. The load is in a cgroup with a limit. If all memory were short,
# nobody else would go on either, not even this shell's commands, and init would end the script at
# its own deadline.
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
# With the helper the writer hangs, and no task of the load: at the limit one is killed, as without
# swap.
EXPECT='' KNOWN=hang
[ "$SIDE" != helper ] || EXPECT=oom
# swapoff needs the pages on the server, too.
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

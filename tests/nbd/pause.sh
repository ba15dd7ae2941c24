#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A server that three times answers nothing at all for some seconds, and goes on then
# (SIGSTOP, and SIGCONT by the host).
# tier: all (nbd/restart-same.sh is a longer pause)
# guards: rust/helper/swap/ rust/ledgers/nbd.rs
# faults: data progress
# nbd: fast
# mem: 256M
# timeout: 600
# variants: base
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_befall
KNOWN=oom
EVIDENCE="while the server says nothing reclaim makes no progress, and tasks are OOM-killed with nearly all of the swap area free"
nbd_start 1 "a server that pauses"
nbd_swap_on fast
load_begin
# It wakes by itself: nothing here can be relied on to run while nothing can be swapped out.
awake=0
for _ in 1 2 3; do
	befall nap fast
	! loop_until 20 stands_still || say "swap stands still"
	goes_on 500 && awake=$((awake + 1))
done
check_eq "it went on, each time" "$awake" 3
load_end
nbd_finish

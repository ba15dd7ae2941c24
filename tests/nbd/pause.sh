#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Three times a server answers nothing at all for some seconds, and then goes on (the host sends
# SIGSTOP and SIGCONT).
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
# The server wakes by itself: no script can be relied on to run while nothing can be swapped out.
awake=0
for _ in 1 2 3; do
	befall nap fast
	! loop_until 20 stands_still || say "swap stands still"
	goes_on 500 && awake=$((awake + 1))
done
check_eq "the load went on each time" "$awake" 3
load_end
nbd_finish

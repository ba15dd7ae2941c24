#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The books balance under pressure over NBD swap, with the multi-generational LRU: the recorded
# writes equal the growth of nr_vmscan_write, and real I/O equals pswpout.
# guards: rust/ledgers/writes.rs rust/ledgers/windows.rs rust/probes/page.rs rust/rows/writes.rs
# faults: books data
# nbd: fast
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_nbd fast
start_test $((BOOKS_LOADS * BOOKS_EACH + 1)) "books balance, the multi-generational LRU"
check "the multi-generational LRU" lru mglru
load_mod
nbd_swap_on fast

# shellcheck disable=SC2086
books $BOOKS_TYPES

finish

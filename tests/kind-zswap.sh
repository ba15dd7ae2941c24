#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind zswap: compressed in RAM, the device behind it is not touched.
# guards: rust/probes/zswap.rs rust/probes/function.rs rust/shim/function.rs
# faults: books
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
need_zswap
start_test $((ONLY + BOOKS + 3)) "writes that zswap takes"
load_mod
brd_swap_on 64
check "zswap is on" zswap_on

snap before
out=$(vmstat pswpout)
hog_start hog -c text -m "$(scaled 16)" -p
hog_filled hog
quiesce
snap after
check_only madvise anon zswap $(($(scaled 16) * 200))
check_books
check_eq "the kernel wrote no page to the device" "$(($(vmstat pswpout) - out))" 0
check "every page came back right" hog_done hog

finish

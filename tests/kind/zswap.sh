#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind zswap: pages are compressed in RAM. As long as zswap does not write back, none reaches the
# device behind it, which counts its own writes.
# guards: rust/probes/zswap.rs rust/tables/needs.rs rust/probes/function.rs rust/shim/function.rs
# faults: books
# disk: 512M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_zswap
need_disk disk0
start_test plan-at-end "writes that zswap takes"
load_mod
disk_attach disk0
swap_on "$DISK"
sync
check "zswap is on" zswap_on
section "zswap" 1

out=$(vmstat pswpout)
sectors=$(written_sectors "$DISK")
page_out hog -c text -m "$(scaled 16)"
check_only madvise anon zswap $(($(scaled 16) * 200))
section "what was written" "$ONLY"
check_books
section "books" "$BOOKS"
check_eq "the kernel wrote no page to the device" "$(($(vmstat pswpout) - out))" 0
check_eq "no sector was written to the device" "$(($(written_sectors "$DISK") - sectors))" 0

# The same without zswap shows that the device would have counted them.
hog_kill hog
echo N > /sys/module/zswap/parameters/enabled
hog_start hog -c text -m "$(scaled 16)" -p
hog_filled hog
quiesce
check_num "without zswap the device counts them" "$(($(written_sectors "$DISK") - sectors))" -ge \
	$(($(scaled 16) * 200 * 8))
check "every page came back right" hog_done hog
section "the device, and content" 4

finish

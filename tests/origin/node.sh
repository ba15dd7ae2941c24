#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin node: node0/reclaim asks for it, and nothing else reclaims; then an allocation does under
# zone_reclaim_mode, beside kswapd, and the ledger is compared with the kernel's own trace.
# guards: rust/words/origin.rs rust/ledgers/windows.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

RECLAIM=/sys/devices/system/node/node0/reclaim
need_mod
need_no_swap
need_file "$RECLAIM" CONFIG_NUMA
start_test plan-at-end "writes by node reclaim"
load_mod
zram_swap_on 256
M=$(scaled 32)

# Node reclaim only looks at pages of files and slabs. With 0 % for slabs it always goes on.
vm min_slab_ratio 0
hog_start hog -c text -m "$M"
hog_filled hog
snap before
echo "$((M / 2))M swappiness=max" > "$RECLAIM" 2> /dev/null
quiesce
snap after
check_charged node anon sync $((M * 64))
section "asked for: what was written" "$CHARGED"
check "every page came back right" hog_done hog
section "asked for: content" 1

# Write and unmap: node reclaim comes before kswapd is even woken.
vm zone_reclaim_mode 7
# This is more than kswapd can do alone. zram carries it on any kernel.
# shellcheck disable=SC2034
is_debug_kernel || ENOUGH=7168
trace_windows
snap before
check "every page came back right under pressure" pressure anon -c text
quiesce
snap after
check_num "node.anon.sync.pages has writes" "$(delta writes 'node\.anon\.sync\.pages')" -gt 0
check_num "node reclaim had windows" "$(delta writes 'node\.windows')" -gt 0
section "next to kswapd" 3
check_origins
section "next to kswapd: origins" "$ORIGIN_CHECKS"
check_books
section "next to kswapd: books" "$BOOKS"

finish

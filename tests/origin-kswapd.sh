#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin kswapd: a task takes memory slowly enough, and the watermarks lie far
# enough apart, that kswapd alone keeps up.
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
start_test $((CHARGED + 4)) "writes by kswapd"
load_mod
zram_swap_on 256

# The distance from low to high: a tenth of memory, not a thousandth.
vm watermark_scale_factor 1000
snap before
hog_start hog -c text -P 30000 -m $(($(mem_mib MemFree) + 8))
hog_filled hog
quiesce
snap after
check_charged kswapd anon sync 1000
check_num "kswapd.windows" "$(delta writes 'kswapd\.windows')" -gt 0
check_num "kswapd.reclaimed" "$(delta writes 'kswapd\.reclaimed')" -gt 0
check_eq "direct.windows" "$(delta writes 'direct\.windows')" 0
check "every page came back right" hog_done hog

finish

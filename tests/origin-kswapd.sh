#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin kswapd: a task takes memory slowly enough, and the watermarks lie far
# enough apart, that kswapd alone keeps up.
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
start_test $((CHARGED + 4)) "writes by kswapd"
load_mod
zram_swap_on 256

# Most memory is locked away, and between the watermarks lie some MiB, not some
# hundred KiB: it takes that long for a task to overtake kswapd.
vm watermark_scale_factor 300
leave_mib 96
snap before
hog_start hog -c text -P 40000 -m $(($(mem_mib MemFree) - $(wmark_mib low) + 16))
hog_filled hog
quiesce
snap after
check_charged kswapd anon sync 500
check_num "kswapd.windows" "$(delta writes 'kswapd\.windows')" -gt 0
check_num "kswapd.reclaimed" "$(delta writes 'kswapd\.reclaimed')" -gt 0
check_eq "direct.windows" "$(delta writes 'direct\.windows')" 0
drop_ballast
check "every page came back right" hog_done hog

finish

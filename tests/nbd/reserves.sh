#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A reserve hog leaves 64 free pages in each zone (or RWB_LEFT), past all watermarks, five times for
# some seconds. Swap has to go on after that, if not before.
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_reserve_hog
LEFT=${RWB_LEFT:-64} ROUNDS=5
nbd_start 3 "the reserves down to $LEFT pages"
reserve_hog_on
nbd_swap_on fast
load_begin
reserves_down "$LEFT" $ROUNDS
check_eq "rounds in which the hog held the reserves" "$HELD" $ROUNDS
check_eq "rounds in which it gave them back" "$BACK" $ROUNDS
load_end
# shellcheck disable=SC2046 # ZONE FREE MIN
set -- $(nearest)
check_num "free pages of the emptiest zone, below its min watermark" "${2:-}" -lt "${3:-}"
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A reserve hog leaves 64 free pages in each zone (RWB_LEFT: so many), past all watermarks,
# five times for some seconds. Swap is to go on, then if not before.
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
check_eq "the hog held the reserves, rounds" "$HELD" $ROUNDS
check_eq "and gave them back" "$BACK" $ROUNDS
load_end
# shellcheck disable=SC2046 # ZONE FREE MIN
set -- $(nearest)
check_num "a zone came so near to empty, free pages of its min watermark" "${2:-}" -lt "${3:-}"
nbd_finish

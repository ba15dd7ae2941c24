#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin kswapd: kswapd alone reclaims. A task takes memory, but waits whenever free memory is
# half-way down from the level at which kswapd wakes to the level at which tasks reclaim.
# guards: rust/words/origin.rs rust/ledgers/windows.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
start_test $((CHARGED + 5)) "writes by kswapd"
load_mod
zram_swap_on 256

# Most memory is locked away. Some MiB, not some hundred KiB, are to lie between the watermarks.
vm watermark_scale_factor 300

no_window()
{
	[ "$(row status windows.open)" = 0 ]
}

ROOM=96
! is_debug_kernel || ROOM=48

# kswapd_keeps_up: has kswapd alone reclaimed? On a busy host it may not get its CPU in time, and
# then the scenario has nothing to look at.
kswapd_keeps_up()
{
	quiesce
	loop_until 600 no_window
	snap after
	[ "$(delta writes 'direct\.windows')" = 0 ]
}

for try in 1 2 3; do
	leave_mib "$ROOM"
	snap before
	hog_start hog -c text -m 512 -U 1024 -F "$(awk '$1 == "min" { n += $2 } $1 == "low" { n += $2 }
		END { print int(n / 2) }' /proc/zoneinfo)"
	hog_filled hog
	# Otherwise kswapd goes on for a minute on a kernel with checkers.
	drop_ballast
	! kswapd_keeps_up || break
	say "try $try: kswapd did not keep up"
	hog_kill hog
done
check "kswapd is done" no_window
check_charged kswapd anon sync 500
check_num "kswapd had windows" "$(delta writes 'kswapd\.windows')" -gt 0
check_num "kswapd freed pages" "$(delta writes 'kswapd\.reclaimed')" -gt 0
check_eq "direct reclaim had no window" "$(delta writes 'direct\.windows')" 0
check "every page came back right" hog_done hog

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin kswapd: a task takes memory slowly enough, and the watermarks lie far
# enough apart, that kswapd alone keeps up.
# guards: rust/origin.rs rust/windows.rs
# faults: origin
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

# squeeze PAUSE: take memory, so many microseconds a MiB, until kswapd has written.
squeeze()
{
	leave_mib "$ROOM"
	snap before
	hog_start hog -c text -P "$1" -m 512 -U 1024
	hog_filled hog
	# Else kswapd goes on for a minute on a kernel with checkers.
	drop_ballast
	quiesce
	snap after
}

ROOM=96 PAUSE=40000
! is_debug_kernel || ROOM=48 PAUSE=150000
squeeze "$PAUSE"
# A busy machine may hold kswapd up: then more slowly, twice.
for pause in $((PAUSE * 3)) $((PAUSE * 9)); do
	[ "$(delta writes 'direct\.windows')" != 0 ] || break
	say "a task overtook kswapd: again, with $pause us a MiB"
	hog_done hog || bail "a page came back wrong"
	squeeze "$pause"
done
check_charged kswapd anon sync 500
by_chance check_num "kswapd.windows" "$(delta writes 'kswapd\.windows')" -gt 0
by_chance check_num "kswapd.reclaimed" "$(delta writes 'kswapd\.reclaimed')" -gt 0
check_eq "direct.windows" "$(delta writes 'direct\.windows')" 0
check "every page came back right" hog_done hog

finish

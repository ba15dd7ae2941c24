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
start=$(vmstat nr_vmscan_write)
take=$(($(mem_mib MemFree) - $(wmark_mib low) + 16)) hogs=0
# Somebody else may give memory back meanwhile (KASAN's quarantine): then more.
while [ "$hogs" -lt 8 ]; do
	hogs=$((hogs + 1))
	hog_start "hog$hogs" -c text -P 40000 -m "$take"
	hog_filled "hog$hogs"
	[ $(($(vmstat nr_vmscan_write) - start)) -lt 500 ] || break
	take=$(($(mem_mib MemFree) - $(wmark_mib low)))
	[ "$take" -ge 8 ] || take=8
done
# Else kswapd goes on for a minute on a kernel with checkers.
drop_ballast
quiesce
snap after
check_charged kswapd anon sync 500
check_num "kswapd.windows" "$(delta writes 'kswapd\.windows')" -gt 0
check_num "kswapd.reclaimed" "$(delta writes 'kswapd\.reclaimed')" -gt 0
check_eq "direct.windows" "$(delta writes 'direct\.windows')" 0
all_right()
{
	local i=0

	while [ "$i" -lt "$hogs" ]; do
		i=$((i + 1))
		hog_done "hog$i" || return 1
	done
}
check "every page came back right" all_right

finish

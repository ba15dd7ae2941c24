#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tasks stall although memory is full of clean pages of files, and the ledger says on what. If
# memory is full of anonymous pages, tasks stall as well, but that is another matter.
# guards: rust/ledgers/stalls.rs rust/probes/stall.rs rust/policy/stall.rs
# faults: books origin
# disk: 512M
# mem: 384M
# variant-skip: debug (slow there; module/groups.sh runs these probes under the checkers)
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_disk disk0
need_fs ext4
M=$(scaled 160)
start_test $((6 + 2 * STALL_BOOKS)) "stalls although there are clean pages"
disk_attach disk0
fs_make ext4 "$DISK"
fs_mount "$DISK"
zram_swap_on 512
check "there is a file" "$BIN/benchload" fill "$MNT/file" 300
sync
leave_mib "$M"

clean_stalls()
{
	direct_stalls && [ "$(sum "$LEDGER/stalls" 'clean\.stalls')" -ge 10 ]
}

# readers: three tasks read more than there is room for, over and over, while others want pages.
readers()
{
	local pids='' pid rc=0

	rm -f "$TMP/enough"
	for _ in 1 2 3; do
		while [ ! -e "$TMP/enough" ]; do
			cat "$MNT/file" > /dev/null || exit 1
		done &
		pids="$pids $!"
	done
	press_until 120 clean_stalls -c zero -m $((M / 2)) || rc=1
	touch "$TMP/enough"
	# `wait` tells the result of the last pid only. The ballast goes on.
	for pid in $pids; do
		wait "$pid" || rc=1
	done
	return $rc
}

load_mod write_around=N handoff=never
check "files are read while pages are wanted" readers
check_stall_books "clean pages" direct "$ENOUGH_STALLS"
check_num "stalls began while most pages were clean" "$(stalled 'clean\.stalls')" -gt 0
check_eq "their parts sum to their time" "$(stalled 'clean\.part\.[a-z_]*\.ns')" "$(stalled 'clean\.ns')"
say "$(stalled 'clean\.stalls') of $(stalled "$STALL_ORIGIN\\.stalls") stalls, $(($(stalled 'clean\.ns') / 1000000)) ms"
unload_mod

# MGLRU counts new anonymous pages as inactive.
lru classic || bail "no classic LRU"
echo 3 > /proc/sys/vm/drop_caches
load_mod write_around=N handoff=never
check "anonymous pages are wanted" press_until 120 direct_stalls -n 2 -c text -m $((M * 3 / 4))
check_stall_books "anonymous pages" direct "$ENOUGH_STALLS"
check_eq "no stall began while most pages were clean" "$(stalled 'clean\.stalls')" 0
unload_mod

finish

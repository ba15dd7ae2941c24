#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Huge pages where memory is full of small ones: a task that gets them, as all do, compacts
# for them when it starts up, and pays for that, with defrag=always; with defrag=madvise,
# which it has not asked for, it does not. The ledger against /proc/vmstat; with enabled=N
# it stands still. (A kernel that zeroes pages as it hands them out does so in the stall, where
# nothing explains it.)
# guards: rust/ledgers/compaction.rs rust/ledgers/takers.rs rust/rows/compaction.rs rust/words/compaction.rs
# faults: books
# disk: 512M
# mem: 384M
# append: init_on_alloc=0
# variant-skip: debug (slow there; module/groups.sh runs these probes under the checkers)
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_disk disk0
need_fs ext4
THP=/sys/kernel/mm/transparent_hugepage
[ -e $THP/defrag ] || skip_all "this kernel has no huge pages (CONFIG_TRANSPARENT_HUGEPAGE)"
M=$(scaled 160)
COMPACTIONS=5
start_test plan-at-end "compaction for huge pages"
set_file $THP/enabled always
set_file $THP/khugepaged/defrag 0
disk_attach disk0
fs_make ext4 "$DISK"
fs_mount "$DISK"
check "there is a file" "$BIN/benchload" fill "$MNT/file" 300
section "a file" 1
sync
leave_mib "$M"

# all REGEX: the sum over all orders; those that nobody asked for have no row.
all()
{
	local n

	n=$(sum "$LEDGER/compaction" "order\\.[0-9]+\\.$1")
	[ "$n" != missing ] || n=0
	echo "$n"
}

# tried RESULTS COLUMN
tried()
{
	all "($1)\\.$2"
}

STARTED='not_suitable|no_suitable_page|continue|complete|partial|contended|success'

# start_up DEFRAG [ENABLED]: memory is full of the file, and in each corner of it lies a page of
# another task; a task starts up, in huge pages, over and over until the kernel has compacted
# (with defrag=madvise, once). The file comes in large folios, for which the kernel compacts, too:
# nothing is recorded until it is read. But the module is there: in memory that is so full insmod
# may wait without end (throttle_direct_reclaim() waits for kswapd, which rests as soon as one zone
# is balanced, be it ZONE_DMA).
start_up()
{
	echo never > $THP/enabled
	load_mod enabled=N write_around=N handoff=never takers=Y
	hog_start "small$1" -c text -m $((M / 3)) -P 20000
	while ! hog_is_filled "small$1"; do cat "$MNT/file"; done > /dev/null
	cat "$MNT/file" > /dev/null
	echo always > $THP/enabled
	echo "$1" > $THP/defrag
	set_to "enabled=${2:-Y}" || return 1
	stall=$(vmstat compact_stall) success=$(vmstat compact_success)
	took=$(cut -d' ' -f1 /proc/uptime)
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		"$BIN/memhog" -A -c text -m $((M / 2)) > "$TMP/hog.log" 2>&1 || return 1
		[ "$1" = always ] || break
		[ $(($(vmstat compact_stall) - stall)) -lt "$COMPACTIONS" ] || break
	done
	took=$(awk -v at="$took" '{ printf "%.0f\n", ($1 - at) * 1e9 }' /proc/uptime)
	stall=$(($(vmstat compact_stall) - stall)) success=$(($(vmstat compact_success) - success))
	hog_done "small$1"
}

check "a task starts up with defrag=madvise" start_up madvise
check_eq "the ledger is on" "$(row compaction state)" on
check_eq "who takes blocks is noted" "$(row compaction takers)" on
check_eq "nobody compacted, says the kernel" "$stall" 0
check_eq "and the ledger" "$(all '[a-z_]*\.attempts')" 0
check_eq "so nobody lost a block" "$(all races)" 0
check "the ledger can be read" take_stalls
check_eq "no time went there" "$(part direct compaction)" 0
section "defrag=madvise" 8
unload_mod

check "a task starts up with defrag=always" start_up always
check_num "the kernel compacted" "$stall" -ge "$COMPACTIONS"
# One or two more: an interrupt may free a block into the hands of a task whose compaction
# was skipped, and then the kernel says success after all.
check_num "attempts that started are compact_stall" "$(tried "$STARTED" attempts)" -le "$stall"
check_num "all of them" "$(($(tried "$STARTED" attempts) + 2))" -ge "$stall"
# After an attempt that failed the task may have found a page on its way back: the kernel
# has counted that as failed by then.
check_num "it was served as often as compact_success says, or more" "$(all served)" -ge "$success"
check_eq "each attempt came to something" "$(($(all served) + $(all again) + $(all failed)))" \
	"$(all '[a-z_]*\.attempts')"
# Whether there are any is a matter of luck; that they are told is for KUnit to show.
check_num "races are successful attempts that were not served" "$(all races)" -le \
	"$(($(all again) + $(all failed)))"
check_num "and none but successful ones" "$(all races)" -le "$(tried success attempts)"
section "defrag=always: attempts" 8
check_stall_books "defrag=always" direct 1
section "defrag=always: books of the stalls" "$STALL_BOOKS"
check_longest
section "defrag=always: the longest" "$LONGEST"
check_num "compaction is a part of the stalls, ns" "$(part direct compaction)" -gt 0
check_num "and as much of them as the attempts took, or less" "$(part direct compaction)" -le \
	"$(tried '[a-z_]*' ns)"
check_num "that is no more than the task took to start up" "$(tried '[a-z_]*' ns)" -le "$took"
section "defrag=always: time" 3
say "compaction took $(($(tried '[a-z_]*' ns) / 1000000)) of the $((took / 1000000)) ms of the start-up"
say "$stall attempts, $success served, $(all races) lost to others, $(($(tried '[a-z_]*' ns) / 1000)) us"
unload_mod

check "a task starts up with defrag=always and enabled=N" start_up always N
check_num "enabled=N: the kernel compacted" "$stall" -ge "$COMPACTIONS"
check_eq "enabled=N: the ledger does not say so" "$(all '[a-z_]*\.attempts')" 0
check_eq "nor that it came to something" "$(($(all served) + $(all again) + $(all failed)))" 0
section "enabled=N" 4
unload_mod

finish

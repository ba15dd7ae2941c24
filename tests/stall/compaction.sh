#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Huge pages are wanted while memory is full of small ones. With defrag=always a task that starts up
# compacts for its huge pages, and pays for that. With defrag=madvise, as it has not asked for them,
# it does not. The ledger is compared with /proc/vmstat, and stands still with enabled=N. (If a
# kernel zeroes pages as it hands them out, it does so during the stall, and nothing explains that
# time.)
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
# If memory is so full, a task may wait without end: throttle_direct_reclaim() waits for kswapd,
# which rests as soon as one zone is balanced, even if that is ZONE_DMA. With all of ZONE_DMA in
# reserve it never is.
vm lowmem_reserve_ratio 1
disk_attach disk0
fs_make ext4 "$DISK"
fs_mount "$DISK"
check "there is a file" "$BIN/benchload" fill "$MNT/file" 300
section "a file" 1
sync
leave_mib "$M"

# all REGEX: prints the sum over all orders. An order that nobody asked for has no row.
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

# start_up DEFRAG [ENABLED]: memory is full of the file, with a page of another task in each corner
# of it. A task starts up, in huge pages, over and over until the kernel has compacted (with
# defrag=madvise, once). The file comes in large folios, for which the kernel compacts as well, so
# nothing is recorded until the file was read.
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
check_eq "the ledger records who takes blocks" "$(row compaction takers)" on
check_eq "the kernel says that nobody compacted" "$stall" 0
check_eq "so does the ledger" "$(all '[a-z_]*\.attempts')" 0
check_eq "nobody lost a block" "$(all races)" 0
check "the ledger can be read" take_stalls
check_eq "no time went into compaction" "$(part direct compaction)" 0
section "defrag=madvise" 8
unload_mod

check "a task starts up with defrag=always" start_up always
check_num "the kernel compacted" "$stall" -ge "$COMPACTIONS"
# The kernel may count one or two more: an interrupt may free a block into the hands of a task whose
# compaction was skipped, and then the kernel counts a success after all.
check_num "no more attempts started than compact_stall says" "$(tried "$STARTED" attempts)" -le "$stall"
check_num "nearly as many did" "$(($(tried "$STARTED" attempts) + 2))" -ge "$stall"
# After an attempt that failed, the task may find a page on its way back. By then the kernel has
# counted a failure.
check_num "tasks were served as often as compact_success says, or more" "$(all served)" -ge "$success"
check_eq "each attempt has a result" "$(($(all served) + $(all again) + $(all failed)))" \
	"$(all '[a-z_]*\.attempts')"
# Whether there are any depends on luck. KUnit shows that they are counted.
check_num "lost blocks are successful attempts that were not served" "$(all races)" -le \
	"$(($(all again) + $(all failed)))"
check_num "no other attempts lost a block" "$(all races)" -le "$(tried success attempts)"
section "defrag=always: attempts" 8
check_stall_books "defrag=always" direct 1
section "defrag=always: books of the stalls" "$STALL_BOOKS"
check_longest
section "defrag=always: the longest" "$LONGEST"
check_num "compaction is a part of the stalls, ns" "$(part direct compaction)" -gt 0
check_num "that part is no longer than the attempts took" "$(part direct compaction)" -le \
	"$(tried '[a-z_]*' ns)"
check_num "the attempts took no longer than the start-up" "$(tried '[a-z_]*' ns)" -le "$took"
section "defrag=always: time" 3
say "compaction took $(($(tried '[a-z_]*' ns) / 1000000)) of the $((took / 1000000)) ms of the start-up"
say "$stall attempts, $success served, $(all races) lost to others, $(($(tried '[a-z_]*' ns) / 1000)) us"
unload_mod

check "a task starts up with defrag=always and enabled=N" start_up always N
check_num "enabled=N: the kernel compacted" "$stall" -ge "$COMPACTIONS"
check_eq "enabled=N: the ledger has no attempt" "$(all '[a-z_]*\.attempts')" 0
check_eq "enabled=N: it has no result either" "$(($(all served) + $(all again) + $(all failed)))" 0
section "enabled=N" 4
unload_mod

finish

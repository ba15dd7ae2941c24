#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The reserves at work, with swap over NBD. The ledger says who takes pages of them, which is
# compared with the kernel's own trace, and how low the zones fall. When the watermarks are raised
# until no task may reclaim, it says who waits for them. While memory is plentiful, there is nothing
# of all that.
# guards: rust/ledgers/reserves.rs rust/probes/reserve.rs rust/rows/reserves.rs rust/shim/probes_reserve.c rust/shim/reserve.rs rust/entry/reserve.rs qemu/patches/0003* qemu/patches/0004*
# faults: books
# nbd: fast
# mem: 384M
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_nbd fast
EVENT=kmem/mm_page_alloc_pfmemalloc
[ -d "$TRACING/events/$EVENT" ] || skip_all "no event $EVENT: the kernel lacks patch 0003"
[ -d "$TRACING/events/vmscan/mm_vmscan_pfmemalloc_wait_begin" ] ||
	skip_all "no event mm_vmscan_pfmemalloc_wait_begin: the kernel lacks patch 0004"
M=$(scaled 160)
start_test 34 "the reserves"
leave_mib "$M"
SYSCTL=/proc/sys/vm/min_free_kbytes
MIN=$(cat $SYSCTL)
undo "echo $MIN > $SYSCTL"

# taken ROW: prints the sum over all users. ROW is a regular expression.
taken()
{
	sum "$LEDGER/reserves" "(reclaimer|writer|nbd_send|nbd_receive|net_receive|interrupt|other)\\.$1"
}

waits()
{
	sum "$LEDGER/reserves" "wait\\.(refilled|timeout|signal)\\.$1"
}

# zones_below: prints how many zones fell below their min watermark.
zones_below()
{
	awk '/^zone\..*\.lowest\.free\.pages / { free[substr($1, 1, length($1) - 18)] = $2 }
		/^zone\..*\.lowest\.min\.pages / { min[substr($1, 1, length($1) - 17)] = $2 }
		END { for (z in free) n += free[z] < min[z]; print n + 0 }' "$LEDGER/reserves"
}

# all_taken: were pages taken, from below the watermark, and by NBD's sender?
all_taken()
{
	[ "$(taken pages)" -gt "$before" ] && [ "$(taken 'below_min\.pages')" -gt 0 ] &&
		[ "$(zones_below)" -gt 0 ] && [ "$(row reserves nbd_send.pages)" -gt 0 ]
}

# traced: prints how many pages the trace has, and how many of them left their zone below its
# watermark.
traced()
{
	awk '
		function number(key) {
			match($0, " " key "=[0-9]+")
			return substr($0, RSTART + length(key) + 2, RLENGTH - length(key) - 2) + 0
		}
		/ mm_page_alloc_pfmemalloc: / {
			pages = 1
			for (order = number("order"); order > 0; order--) pages *= 2
			n += pages
			if (number("free") < number("min")) below += pages
		}
		END { printf "%.0f %.0f\n", n, below }' "$INSTANCE/trace"
}

load_mod write_around=N handoff=never
check_eq "the ledger is on" "$(row reserves state)" on
check_eq "it records waits" "$(row reserves waits)" on
check_eq "it records dropped packets" "$(row reserves drops)" on
check_eq "no socket may use the reserves" "$(row reserves sockets.memalloc)" 0
nbd_swap_on fast
check_eq "NBD's socket may" "$(row reserves sockets.memalloc)" 1

before=$(taken pages) waited=$(vmstat pgscan_direct_throttle)
# The task gets free pages, and touches no watermark.
check "a task wants half of what there is" "$BIN/memhog" -c text -m $((($(mem_mib MemFree) - $(wmark_mib high)) / 2))
check_eq "nobody took from the reserves" "$(taken pages)" "$before"
check_eq "nobody waited for them" "$(waits waits) $(vmstat pgscan_direct_throttle)" "0 $waited"

TRACE_KIB=2048 trace_start "$EVENT"
before=$(taken pages) below=$(taken 'below_min\.pages')
check "tasks want more than there is" press_until 120 all_taken -n 4 -m $((M / 3))
quiesce
echo 0 > "$INSTANCE/tracing_on"
check_eq "the trace has every event" "$(trace_lost)" 0
trace=$(traced)
check_num "the kernel says that pages were taken" "${trace% *}" -gt 0
check_eq "the ledger has as many" "$(($(taken pages) - before))" "${trace% *}"
trace_stop
# The kernel and the module read the free pages of the zone one after the other. Meanwhile other
# tasks take pages and give them back.
off=$(($(taken 'below_min\.pages') - below - ${trace#* }))
say "below the watermark: ${trace#* } in the trace, $off more in the ledger"
check_num "error of the ledger about those below the watermark, per cent" \
	$((100 * ${off#-} / (${trace#* } + 1))) -le 5
check_num "there were some below the watermark" "$(taken 'below_min\.pages')" -gt 0
check_num "a zone fell below its watermark" "$(zones_below)" -gt 0
check_num "NBD sent with pages of the reserves" "$(row reserves nbd_send.pages)" -gt 0
# others: prints how many pages other users took, summed over their call sites.
others()
{
	sum "$LEDGER/reserves" 'site\.[0-9]+\.pages'
}

show_taken()
{
	grep -E '\.pages [1-9]|^slabs|^site' "$LEDGER/reserves" | grep -v '^zone' | show_lines "  "
}

# hog_events PATTERN: prints how many events of this shell have that. Slabs have no THISNODE.
hog_events()
{
	grep "^ *$(cat /proc/$$/comm)-$$ .* mm_page_alloc_pfmemalloc: " "$INSTANCE/trace" | grep -c "$@"
}

# hog_takes: this shell takes pages below the watermarks, in a function of that module, and then
# slabs of such pages.
hog_takes()
{
	local other sites slabs all

	try_load reservehog || return 1
	undo "[ ! -d /sys/module/reservehog ] || rmmod reservehog"
	other=$(row reserves other.pages) sites=$(others) slabs=$(row reserves slabs)
	is_number "$sites" || sites=0
	HOG_PAGES=0 HOG_SLABS=0
	TRACE_KIB=2048 trace_start "$EVENT"
	# It leaves almost as much as the watermark of the largest zone: nobody else is to starve.
	echo $(($(awk '$1 == "min" && $2 > n { n = $2 } END { print n }' /proc/zoneinfo) - 64)) > \
		/sys/module/reservehog/parameters/leave
	echo 1000 > /sys/module/reservehog/parameters/objects
	echo 0 > /sys/module/reservehog/parameters/objects
	echo -1 > /sys/module/reservehog/parameters/leave
	echo 0 > "$INSTANCE/tracing_on"
	HOG_PAGES=$(hog_events 'order=0 .*__GFP_THISNODE') HOG_SLABS=$(hog_events -v __GFP_THISNODE)
	all=$(grep -c ' mm_page_alloc_pfmemalloc: ' "$INSTANCE/trace")
	HOG_FOREIGN=$((all - HOG_PAGES - HOG_SLABS))
	trace_stop
	HOG_OTHER=$(($(row reserves other.pages) - other)) HOG_SITES=$(($(others) - sites))
	HOG_COUNTED=$(($(row reserves slabs) - slabs))
}

if module_file reservehog > /dev/null; then
	check "this shell takes pages" hog_takes
	check_num "the kernel says that it took them" "$HOG_PAGES" -gt 0
	check_num "the ledger has as many, and those of other tasks" "$HOG_OTHER" -ge \
		$((HOG_PAGES + HOG_SLABS))
	check_num "it took slabs, too" "$HOG_SLABS" -gt 0
	check_num "the ledger has as many" "$HOG_COUNTED" -ge "$HOG_SLABS"
	check_num "it has no more, but those of other tasks" "$HOG_COUNTED" -le \
		$((HOG_SLABS + HOG_FOREIGN))
	check_eq "each of them has a call site" "$HOG_SITES" "$HOG_OTHER"
	check_eq "so have all pages of other users" "$(others)" "$(row reserves other.pages)"
	check "one call site is in that module" grep -qE '^site\.[0-9]+\.at .*\[reservehog\]' "$LEDGER/reserves"
	show_taken
	rmmod reservehog
else
	skip_checks 9 "no reservehog.ko (scripts/build/kmod.sh): no other user takes pages"
	show_taken
fi

# More must be kept free than there is: a task that reclaims waits until kswapd has freed half of
# that.
raise()
{
	hog_start more -m $((M + M / 4)) -T 600
	hog_filled more
	echo $((M * 1024 * 3 / 4)) > $SYSCTL
	loop_until 1200 waited_for
}

# refilled: once the watermarks are down, kswapd wakes the tasks that wait.
refilled()
{
	[ "$(row reserves wait.refilled.waits)" -gt 0 ]
}

waited_for()
{
	[ "$(waits waits)" -gt 0 ]
}

# counted: the kernel counts a wait before it begins, and the ledger when it is over.
counted()
{
	[ "$(waits waits)" = "$(($(vmstat pgscan_direct_throttle) - waited))" ] && [ "$(row reserves wait.open)" = 0 ]
}

if is_debug_kernel; then
	# That kernel frees memory so slowly that no worker can be started for minutes.
	skip_checks 8 "with the kernel's checkers the workqueue watchdog barks at raised watermarks"
else
	check "tasks wait for the reserves" raise
	echo "$MIN" > $SYSCTL
	loop_until 600 refilled
	hog_kill more
	quiesce
	check "the ledger has as many waits as pgscan_direct_throttle" loop_until 100 counted
	check_num "kswapd woke some tasks" "$(row reserves wait.refilled.waits)" -gt 0
	check_eq "the histogram has each wait" "$(sum "$LEDGER/reserves" 'wait\.hist\.us\.[0-9]+')" "$(waits waits)"
	check_eq "each wait has a node" "$(sum "$LEDGER/reserves" 'node\.[0-9]+\.waits')" "$(waits waits)"
	check_eq "each wait has a task" "$(sum "$LEDGER/reserves" 'waiter\.[0-9]+\.waits')" "$(waits waits)"
	check "the ledger of stalls can be read" take_stalls
	check_num "the stalls have as much time for that cause, or more, in us" \
		"$(($(stalled "$STALL_ORIGIN\\.part\\.pfmemalloc\\.ns") / 1000))" -ge \
		"$(awk '/^wait\.(refilled|timeout|signal)\.ns / { n += $2 } END { printf "%d\n", n / 1000 }' "$LEDGER/reserves")"
	grep -E '^(wait|waiter|node)' "$LEDGER/reserves" | show_lines "  "
fi
check_eq "nothing was lost" "$(sum "$LEDGER/status" 'lost\.(sites|waits|waiters)')" 0
unload_mod

finish

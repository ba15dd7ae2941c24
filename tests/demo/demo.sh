#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest's half of `make demo`: swap over NBD, and a load that brings out the origins of writes
# by reclaim. Every page is verified, and all of it is recorded. Leaves $RWB_RESULTS/demo.jsonl for
# `reclaimwb report`. RWB_HANDOFF says with which policy the module is loaded.
# nbd: fast
# mem: 320M
# timeout: 900
. "$(dirname "$0")/../lib/test.sh"

RESULTS=${RWB_RESULTS:-.}
# The tasks have a third more data than there is memory, and all fault at once. kswapd alone does
# not keep up, and the tasks write on their own stacks.
TASKS=6
MIB=$(($(mem_mib MemTotal) * 4 / 3 / TASKS))

in_swap()
{
	echo $(($(mem_mib SwapTotal) - $(mem_mib SwapFree)))
}

written()
{
	echo $(($(row writes total.pages) / 256))
}

# progress WHAT: shows a line every few seconds while something moves, until it is killed.
progress()
{
	local last='' now

	while sleep 4; do
		now="$(in_swap) MiB in swap, reclaim has written $(written) MiB"
		[ "$now" = "$last" ] || say "  $1: $now"
		last=$now
	done
}

# watched WHAT CMD...: runs the command, and shows its progress.
watched()
{
	local what="$1" rc=0 pid

	shift
	progress "$what" &
	pid=$!
	"$@" || rc=1
	kill "$pid" 2> /dev/null
	wait "$pid" 2> /dev/null
	return "$rc"
}

# crowd TYPE: several tasks have more data than memory, and each verifies its pages.
crowd()
{
	"$BIN/memhog" -t "$1" -n "$TASKS" -m "$MIB" -w 400 > "$TMP/crowd" 2>&1 || return 1
	[ "$(grep -c "verified [1-9][0-9]* pages, 0 bad" "$TMP/crowd")" = "$TASKS" ]
}

# Tasks are in cgroups, and each meets the limit of its own.
memcg_max()
{
	echo 24M > "$CG/rwb-max/memory.max"
	hog_in "$CG/rwb-max" max -m 64
	hog_filled max
	hog_done max
}

huge()
{
	hog_in "$CG/rwb-huge" huge -H -m 48
	hog_filled huge
	echo 32M > "$CG/rwb-huge/memory.reclaim" 2> /dev/null
	hog_done huge
}

zero()
{
	hog_in "$CG/rwb-zero" zero -c zero -m 32
	hog_filled zero
	echo 16M > "$CG/rwb-zero/memory.reclaim" 2> /dev/null
	hog_done zero
}

pageout()
{
	hog_start pageout -p -m 24
	hog_filled pageout
	hog_done pageout
}

wrote()
{
	check_num "$1 has written pages" "$(delta writes "$1\\.(anon|shmem)\\.[a-z]*\\.pages")" -gt 0
}

need_mod
need_nbd
need_memcg
need_tool
start_test $((11 + BOOKS)) "who writes during reclaim, over swap on NBD"
load_mod "handoff=${RWB_HANDOFF:-never}"
nbd_swap_on fast
for cg in rwb-max rwb-huge rwb-zero; do
	cg_make "$cg"
done

thp=/sys/kernel/mm/transparent_hugepage
if [ -e $thp/enabled ]; then
	set_file $thp/enabled madvise
	# There are sizes between a page and a huge page, for tasks that ask for huge pages.
	[ ! -e $thp/hugepages-64kB/enabled ] || set_file $thp/hugepages-64kB/enabled madvise
fi

say "$(mem_mib MemTotal) MiB of memory, $(mem_mib SwapTotal) MiB of swap on $NBD_DEV"
recorder "$RESULTS/demo.jsonl"
snap before

say "a cgroup at its memory.max: 64 MiB of data, 24 MiB allowed"
check "memory.max: every page came back right" watched memory.max memcg_max
say "memory.reclaim: huge pages, then zero-filled ones"
check "huge pages: every page came back right" watched "huge pages" huge
check "zero-filled: every page came back right" watched zero-filled zero
say "MADV_PAGEOUT: 24 MiB"
check "MADV_PAGEOUT: every page came back right" watched MADV_PAGEOUT pageout
for type in anon mixed; do
	say "$TASKS tasks with $MIB MiB each ($type), all at once"
	check "$type pressure: every page came back right" watched "$type" crowd "$type"
done

quiesce
recorder_end INT || bail "$(cat "$TMP/recorder")"
snap after
for origin in kswapd direct memcg_max memcg_reclaim madvise; do
	wrote "$origin"
done
check_books

finish

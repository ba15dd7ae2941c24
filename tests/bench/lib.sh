# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the scenarios of `make bench` share. Each is a file in this folder: it dirties or fills
# memory, wants more, and leaves in $RWB_RESULTS what the kernel counted meanwhile. The host
# computes what that amounts to (scripts/measure/bench-report.py).
#
# RWB_SIDE says which side runs: stock (no module), off (the module with write_around=N
# handoff=never) or reclaimwb (with write_around=Y; for swap, with handoff=always alone). For swap
# there is also tuned: stock, with its device set by hand.

# shellcheck source=../lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=../lib/trace.sh
. "$TESTS/lib/trace.sh"

RESULTS=${RWB_RESULTS:-.}
SIDE=${RWB_SIDE:-stock}
DEV=/dev/vda
# The same disk has a second connection: a read from there does not wait for writes.
DOOR=/dev/vdb
MNT=/tmp/mnt
# The disk's image has this file, of this size in MiB, and another one, `second`
# (scripts/measure/bench.sh).
# shellcheck disable=SC2034 # for the scenarios
OLD=$MNT/old OLD_MIB=300
DEBUGFS=/sys/kernel/debug/reclaimwb

# load ARGS...: runs benchload, in the cgroup $IN if there is one. Its numbers go to the results.
IN=
load()
{
	local in_cgroup=

	[ -z "$IN" ] || in_cgroup="in_cg $IN"
	$in_cgroup "$BIN/benchload" "$@" >> "$RESULTS/loads" || bail "benchload $*: see above"
}

# fact KEY VALUE
fact()
{
	echo "$1 $2" >> "$RESULTS/facts"
}

# set_up CHECKS TEXT: mounts the disk, makes the settings, and loads the module as this side wants
# it.
set_up()
{
	[ -b $DOOR ] || skip_all "no $DEV with a second door: scripts/measure/bench.sh gives one"
	start_test "$1" "$2; $SIDE"
	: > "$RESULTS/loads"
	: > "$RESULTS/facts"
	mkdir -p $MNT
	mount -t ext4 $DEV $MNT || bail "cannot mount $DEV (ext4)"
	# The disk stays mounted (rwb.nosync): it would take a minute to write what is still dirty
	# at the end, and nobody wants it.
	[ -s $OLD ] || bail "there is no file 'old' on $DEV"
	lru "${LRU:-classic}" || bail "cannot choose the ${LRU:-classic} LRU"
	load_side
}

# set_up_swap CHECKS TEXT: sets up swap on the NBD server $NBD as this side has it, and loads the
# module as this side wants it. There is no disk. Where NBD is `none` the device is in memory.
set_up_swap()
{
	if [ "$NBD" = none ]; then
		need_null
	else
		need_nbd "$NBD"
	fi
	start_test "$1" "$2; $SIDE"
	: > "$RESULTS/loads"
	: > "$RESULTS/facts"
	[ "$NBD" != none ] || NBD_DEV=/dev/nullb0
	DEV=$NBD_DEV
	lru "${LRU:-classic}" || bail "cannot choose the ${LRU:-classic} LRU"
	if [ "$NBD" = none ]; then
		# The time of a fast SSD for each request.
		null_swap_on "${NBD_DEV##*/}" "$NULL_MIB" 20000
	elif [ "$SIDE" = tuned ]; then
		tuned_swap_on
	else
		nbd_swap_on "$NBD"
	fi
	# These are what the device became, not what was asked for.
	fact connections "$(swap_queues)"
	fact max_sectors_kb "$(cat "$(swap_sys)/queue/max_sectors_kb")"
	load_side_swap
}

swap_sys()
{
	echo "/sys/block/${NBD_DEV##*/}"
}

# swap_queues: prints how many there are, one for each connection (the kernel makes no more than
# CPUs).
swap_queues()
{
	set -- "$(swap_sys)"/mq/*
	echo $#
}

# tuned_swap_on: makes requests so small that none waits long behind another, and several
# connections where the scenario says so and nbd-client can.
tuned_swap_on()
{
	several_connections "${RWB_CONNECTIONS:-1}" || nbd_attach "$NBD"
	set_file "$(swap_sys)/queue/max_sectors_kb" 128 || bail "cannot set max_sectors_kb"
	swap_on "$NBD_DEV"
}

several_connections()
{
	[ "$1" -gt 1 ] || return 1
	nbd_address "$NBD" || bail "no NBD server named '$NBD'"
	nbd-client "$NBD_HOST" "$NBD_PORT" "$NBD_DEV" -swap -C "$1" > "$TMP/nbd-client" 2>&1 &&
		loop_until 50 nbd_connected && undo nbd_detach && return 0
	say "one connection: nbd-client -C $1: $(tail -n 1 "$TMP/nbd-client")"
	nbd_detach
	return 1
}

load_side_swap()
{
	local wish got param

	case $SIDE in
	stock | tuned) fact module none; return ;;
	off) wish=never ;;
	reclaimwb) wish=always ;;
	*) bail "RWB_SIDE=$SIDE: it can be stock, tuned, off or reclaimwb" ;;
	esac
	module_file reclaimwb > /dev/null || bail "no reclaimwb.ko in this guest: make module"
	set -- "write_around=N" "handoff=$wish"
	# What the user asks for wins, but a side that is off stays off.
	for param in $(echo "${RWB_PARAMS:-}" | tr ';' ' '); do
		case $SIDE:$param in
		off:handoff=* | off:write_around=*) continue ;;
		*:handoff=*) wish=${param#*=} ;;
		esac
		set -- "$@" "$param"
	done
	load_mod "$@"
	[ -e "$PARAMS/handoff" ] || bail "this module has no handoff"
	got=$(cat "$PARAMS/handoff")
	[ "$got" = "$wish" ] || bail "handoff is $got, not $wish"
	# The parameter may be set although the kernel lacks what handoff needs.
	[ "$wish" = never ] || [ "$(handoff state)" = on ] ||
		bail "handoff is $(handoff state), not on: has this kernel patch 2?"
	fact module "handoff=$got"
}

# late_dirty: lets writeback begin so late that only reclaim wants the pages written.
late_dirty()
{
	vm dirty_ratio 60
	vm dirty_background_ratio 50
	vm dirty_writeback_centisecs 30000
}

load_side()
{
	local wish got file

	case $SIDE in
	stock) fact module none; return ;;
	off) wish=N ;;
	reclaimwb) wish=Y ;;
	*) bail "RWB_SIDE=$SIDE: it can be stock, off or reclaimwb" ;;
	esac
	module_file reclaimwb > /dev/null || bail "no reclaimwb.ko in this guest: make module"
	# shellcheck disable=SC2086 # a list of parameters
	load_mod ${RWB_PARAMS:+$(echo "$RWB_PARAMS" | tr ';' ' ')}
	file=$PARAMS/write_around
	[ -e "$file" ] || bail "this module has no write_around"
	[ "$(cat "$file")" = "$wish" ] || echo $wish > "$file" ||
		bail "cannot set write_around=$wish: has this kernel patch 1?"
	got=$(cat "$file")
	[ "$got" = $wish ] || bail "write_around is $got, not $wish"
	fact module "write_around=$got"
}

counters()
{
	cat /proc/vmstat > "$RESULTS/vmstat.$1"
	[ ! -e "/sys/block/${DEV##*/}/stat" ] || cat "/sys/block/${DEV##*/}/stat" > "$RESULTS/disk.$1"
	grep '^cpu ' /proc/stat > "$RESULTS/cpu.$1"
	# This says which thread took the time. The report does not show it.
	cat /proc/[0-9]*/stat > "$RESULTS/threads.$1" 2> /dev/null
	grep -H . /proc/pressure/* > "$RESULTS/pressure.$1" 2> /dev/null
	[ ! -e $DEBUGFS/helper ] || cat $DEBUGFS/helper > "$RESULTS/helper.$1"
	[ ! -e $DEBUGFS/handoff ] || cat $DEBUGFS/handoff > "$RESULTS/handoff.$1"
}

dirty_pages()
{
	local node

	for node in /sys/devices/system/node/node*; do
		fact "dirty_at_start.${node##*/}" "$(awk '$1 == "nr_dirty" { print $2 }' "$node/vmstat")"
	done
}

# measured CMD...: runs the part that is measured.
measured()
{
	dirty_pages
	counters before
	# Only these marks are read from there, so that the disk's log shows where the part began
	# and ended.
	load mark $DOOR 1
	"$@"
	load mark $DOOR 2
	counters after
}

# verified WHAT ARGS...: reads everything again. Clean pages come from the disk, the others from the
# cache, since it would take this disk minutes to write them.
verified()
{
	local what="$1"

	shift
	# Reclaim's mark on a dirty folio would mean "time to read ahead", and fetch pages that
	# nobody asked for, behind all the writes.
	echo 0 > "/sys/block/${DEV##*/}/queue/read_ahead_kb"
	echo 1 > /proc/sys/vm/drop_caches
	"$BIN/benchload" -D $DOOR "$@" > "$TMP/verified" 2>&1
	say "$(tail -n 1 "$TMP/verified")"
	check "$what" grep -q "verified [1-9][0-9]* .*, 0 bad" "$TMP/verified"
}

# high_order_on ORDER: a task that asks for it with madvise gets folios of that order, and reclaims
# and compacts for them itself.
high_order_on()
{
	local thp=/sys/kernel/mm/transparent_hugepage file

	for file in "hugepages-$((4 << $1))kB/enabled" enabled defrag; do
		set_file "$thp/$file" madvise || bail "cannot set $thp/$file: has this kernel order $1?"
	done
	fact high_order "$1"
}

# in_limit MIB: what follows is in a cgroup with that limit.
in_limit()
{
	cg_make rwb-bench
	echo "$1M" > "$CG/rwb-bench/memory.max" || bail "cannot set memory.max"
	IN=$CG/rwb-bench
	fact cgroup_mib "$1"
}

# neighbour_on MIB: a task outside the cgroup has memory of its own. Each round is a new task.
neighbour_on()
{
	fact neighbour_mib "$1"
	rm -f "$TMP/neighbour.end"
	(
		while [ ! -e "$TMP/neighbour.end" ]; do
			"$BIN/swapload" -k neighbour -m "$1" -T 1 || exit 1
		done
	) > "$TMP/load.neighbour" 2>&1 &
	neighbour=$!
	undo "touch $TMP/neighbour.end"
}

# neighbour_off: adds the longest of its faults to the results. Makes one check.
neighbour_off()
{
	touch "$TMP/neighbour.end"
	check "the neighbour found every page right" wait "$neighbour"
	awk '$1 == "neighbour.longest_us" && $2 > n { n = $2 }
		END { print "neighbour.longest_us", n + 0 }' "$TMP/load.neighbour" >> "$RESULTS/loads"
}

# swap_load ARGS...: runs swapload, which is measured. Its numbers go to the results. Makes one
# check: every touch was right. If a task of it is killed for memory, the others go on, and the
# results say so.
swap_load()
{
	local kills pid rc

	kills=$(vmstat oom_kill)
	trace_start vmscan/mm_vmscan_direct_reclaim_begin vmscan/mm_vmscan_direct_reclaim_end
	counters before
	# shellcheck disable=SC2086 # none, or a word and a path
	${IN:+in_cg $IN} "$BIN/swapload" "$@" > "$TMP/load.swap" 2>&1 &
	pid=$!
	undo "kill -9 $pid 2> /dev/null"
	wait $pid
	rc=$?
	counters after
	echo 0 > "$INSTANCE/tracing_on"
	fact stalls_lost "$(trace_lost)"
	stall_times > "$RESULTS/stalls"
	grep '^[a-z]*\.[a-z0-9_]* [0-9]*$' "$TMP/load.swap" >> "$RESULTS/loads"
	if [ "$(vmstat oom_kill)" != "$kills" ]; then
		echo "swap.killed 1" >> "$RESULTS/loads"
		show_load swap
		skip_checks 1 "killed for memory"
	else
		echo "swap.killed 0" >> "$RESULTS/loads"
		check "every touch was right" swapload_verified swap $rc
	fi
}

# stall_times: prints the time of each direct reclaim in the trace, in us.
stall_times()
{
	awk 'match($0, /-[0-9]+ +\[[0-9]+\]/) {
			pid = substr($0, RSTART + 1, RLENGTH - 1); sub(/ .*/, "", pid)
			match($0, /[0-9]+\.[0-9]+:/)
			now = substr($0, RSTART, RLENGTH - 1) * 1000000
		}
		/ mm_vmscan_direct_reclaim_begin: / { begin[pid] = now; next }
		/ mm_vmscan_direct_reclaim_end: / && pid in begin {
			printf "%.0f\n", now - begin[pid]
			delete begin[pid]
		}' "$INSTANCE/trace"
}

# until_done PID [TENTHS]: waits for a load. If it hangs, that is a failure, and its stack is shown.
until_done()
{
	loop_until "${2:-1800}" has_ended "$1" || {
		say "$(cat "/proc/$1/stack" 2> /dev/null)"
		bail "a load is not done after $((${2:-1800} / 10)) s"
	}
	wait "$1"
}

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the scenarios of `make bench` share. Each is one file beside this one: it
# dirties, squeezes, and leaves in $RWB_RESULTS what the kernel counted meanwhile;
# what that amounts to is computed on the host (scripts/bench-report.py).
#
# RWB_SIDE says whose turn it is: stock (no module), off (the module with
# write_around=N) or reclaimwb (with write_around=Y).

RWB_TESTS=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../lib/test.sh
. "$RWB_TESTS/lib/test.sh"

RESULTS=${RWB_RESULTS:-.}
SIDE=${RWB_SIDE:-stock}
DEV=/dev/vda
# The same disk by a connection of its own: what is read here waits for no write.
DOOR=/dev/vdb
MNT=/tmp/mnt
# The disk's image has this file on it, so large in MiB, and `second` (scripts/bench.sh).
# shellcheck disable=SC2034 # for the scenarios
OLD=$MNT/old OLD_MIB=300
DEBUGFS=/sys/kernel/debug/reclaimwb

# load ARGS...: benchload, in the cgroup $IN if there is one; its numbers go to the results.
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

# set_up CHECKS TEXT: disk mounted, settings made, module as this side wants it.
set_up()
{
	[ -b $DOOR ] || skip_all "no $DEV with a second door: scripts/bench.sh gives one"
	start_test "$1" "$2; $SIDE"
	: > "$RESULTS/loads"
	: > "$RESULTS/facts"
	mkdir -p $MNT
	mount -t ext4 $DEV $MNT || bail "cannot mount $DEV (ext4)"
	# It stays mounted (rwb.nosync): what is still dirty at the end would take this
	# disk a minute, and nobody wants it.
	[ -s $OLD ] || bail "there is no file 'old' on $DEV"
	lru "${LRU:-classic}" || bail "cannot choose the ${LRU:-classic} LRU"
	load_side
}

# late_dirty: writeback begins so late that only reclaim wants the pages written.
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
	cat "/sys/block/${DEV##*/}/stat" > "$RESULTS/disk.$1"
	grep -H . /proc/pressure/* > "$RESULTS/pressure.$1" 2> /dev/null
	[ ! -e $DEBUGFS/helper ] || cat $DEBUGFS/helper > "$RESULTS/helper.$1"
}

dirty_pages()
{
	local node

	for node in /sys/devices/system/node/node*; do
		fact "dirty_at_start.${node##*/}" "$(awk '$1 == "nr_dirty" { print $2 }' "$node/vmstat")"
	done
}

# measured CMD...: the part that counts.
measured()
{
	dirty_pages
	counters before
	# Only a direct read from there: the disk's log shows where this began, and ended.
	load mark $DOOR 1
	"$@"
	load mark $DOOR 2
	counters after
}

# verified WHAT ARGS...: all is read again: what is clean from the disk, the rest from
# the cache, since it would take this disk minutes to write it.
verified()
{
	local what="$1"

	shift
	# Reclaim's mark on a dirty folio reads as "time to read ahead": that would
	# fetch, behind all the writes, what nobody asked for.
	echo 0 > "/sys/block/${DEV##*/}/queue/read_ahead_kb"
	echo 1 > /proc/sys/vm/drop_caches
	"$BIN/benchload" -D $DOOR "$@" > "$TMP/verified" 2>&1
	say "$(tail -n 1 "$TMP/verified")"
	check "$what" grep -q "verified [1-9][0-9]* .*, 0 bad" "$TMP/verified"
}

# until_done PID: bounded; a load that hangs is a failure, with its stack in the log.
until_done()
{
	loop_until "${2:-1800}" ended "$1" || {
		say "$(cat "/proc/$1/stack" 2> /dev/null)"
		bail "a load is not done after $((${2:-1800} / 10)) s"
	}
	wait "$1"
}

ended()
{
	! kill -0 "$1" 2> /dev/null
}

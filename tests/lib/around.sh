# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Write-around: the ledger of the helper, and pressure on dirty pages of files.

HOOK_SKIPS='full|share|devices|blockdev|swapfile|deadlock|nodevice|stuck|node|enough'
WORKER_SKIPS='gone|locked|clean|writeback|unmounting|frozen|readonly|freeing|unneeded|duplicate|moved|dropped'

# need_helper: if the kernel has patch 1 and the module does not find it, that is a fault, not a
# reason to skip.
need_helper()
{
	need_mod
	need_root
	grep -q ' register_reclaim_writeback$' /proc/kallsyms ||
		skip_all "this kernel has no register_reclaim_writeback (patch 1)"
}

# load_helper [PARAM=VALUE...]
load_helper()
{
	load_mod "$@"
	[ "$(around state)" = on ] || bail "write-around is $(around state), not on"
}

# around KEY
around()
{
	row helper "$1"
}

# keeps_pages: dirty pages stay dirty until someone wants these pages. The flusher writes them
# neither for their age nor for their number.
keeps_pages()
{
	local dir=/proc/sys/vm

	# Setting a number of bytes sets the ratio to 0, and the bytes cannot be set to 0.
	undo "echo $(cat $dir/dirty_ratio) > $dir/dirty_ratio"
	undo "echo $(cat $dir/dirty_background_ratio) > $dir/dirty_background_ratio"
	echo $((2 << 30)) > $dir/dirty_bytes
	echo $((1 << 30)) > $dir/dirty_background_bytes
	vm dirty_writeback_centisecs 0
	vm dirty_expire_centisecs 360000
}

around_state()
{
	awk '$1 == "met.folios" || $1 == "pending.folios" { printf "%s ", $2 }' "$LEDGER/helper"
	awk '/^nr_writeback / { print $2 }' /proc/vmstat
}

# around_quiet: waits until nothing is met, queued, or under writeback.
around_quiet()
{
	loop_until 200 is_idle around_state " 0 0" || {
		say "write-around did not become quiet: met, pending, writeback: $(around_state)"
		return 1
	}
}

# hsum REGEX: prints the sum of the helper's rows in $TMP/helper.
hsum()
{
	sum "$TMP/helper" "$1"
}

# check_around_books WHAT: checks that every target is accounted for, to the folio. Makes 6 checks.
# shellcheck disable=SC2034
AROUND_BOOKS=6
check_around_books()
{
	local unknown

	check "$1: write-around comes to rest" around_quiet
	cat "$LEDGER/helper" > "$TMP/helper"
	check_eq "$1: met = merged + queued + skipped when met" "$(hsum 'met\.folios')" \
		"$(hsum "merged\\.folios|queued\\.folios|skipped\\.($HOOK_SKIPS)\\.folios")"
	check_eq "$1: queued = written + skipped by the worker" "$(hsum 'queued\.folios')" \
		"$(hsum "written\\.folios|pending\\.folios|skipped\\.($WORKER_SKIPS)\\.folios")"
	unknown=$(grep '^skipped\.' "$TMP/helper" |
		grep -vE "^skipped\\.($HOOK_SKIPS|$WORKER_SKIPS)\\.folios " | grep -v ' 0$')
	check_eq "$1: each reason to skip is known" "${unknown:-none}" none
	check_eq "$1: the histogram has each window" "$(hsum 'window\.pages\.hist\.[0-9]+')" \
		"$(hsum windows)"
	check_eq "$1: the histogram has the time of each cleaned target" "$(hsum 'clean\.us\.hist\.[0-9]+')" \
		"$(hsum 'clean\.targets')"
	show_around
}

# show_around: shows what happened, in three lines.
show_around()
{
	show_rows "$LEDGER/helper" '^device[.]|hist'
}

# --- pressure

# file PROGRAM_ARGUMENTS...: runs filehog, and shows what it said if it fails.
file()
{
	"$BIN/filehog" "$@" > "$TMP/filehog" 2>&1 && return 0
	show_file "$TMP/filehog"
	return 1
}

show_file()
{
	show_lines "  " < "$1"
}

# proves ARGUMENTS...: runs filehog verify (or mutate -V), which must have verified something. Then
# it drops what was read: the next writer would dirty pages that are charged to no limit.
proves()
{
	file "$@" && grep -q 'verified [1-9][0-9]* pages, 0 bad' "$TMP/filehog" &&
		echo 1 > /proc/sys/vm/drop_caches
}

# around_cg NAME MIB: makes a memory cgroup with that limit, and sets ACG.
around_cg()
{
	cg_make "$1"
	ACG=$CG/$1
	around_cg_limit "$2"
}

# around_cg_limit MIB: gives the cgroup another limit. If it is lower, reclaim immediately meets the
# pages that are too many.
around_cg_limit()
{
	echo "$1M" > "$ACG/memory.max" || bail "no limit for $ACG"
}

# around_meets MIB: the limit of the cgroup shrinks to that in the background, until around_met. It
# succeeds as soon as folios were queued. (They stay queued longer if "inflight" is small, or if the
# disk stands still.)
around_meets()
{
	local before ends=false

	before=$(around queued.folios)
	echo "$1M" > "$ACG/memory.max" &
	MEETS=$!
	while [ "$(around queued.folios)" = "$before" ]; do
		# What the background job did last must be looked at, too.
		! $ends || return 1
		kill -0 "$MEETS" 2> /dev/null || ends=true
	done
}

around_met()
{
	wait "$MEETS"
}

# file_in CGROUP_DIR ARGUMENTS...: runs filehog in a cgroup. FILE_IN keeps the arguments.
file_in()
{
	local dir="$1"

	FILE_IN="$*"
	shift
	in_cg "$dir" "$BIN/filehog" "$@" > "$TMP/filehog" 2>&1 && return 0
	show_file "$TMP/filehog"
	return 1
}

# file_bg NAME CGROUP_DIR ARGUMENTS...: runs filehog in the background, until file_end NAME.
file_bg()
{
	local name="$1" dir="$2"

	shift 2
	# in_cg would give the pid of a shell, whose child outlives it.
	sh -c 'echo $$ > "$0/cgroup.procs" && exec "$@"' "$dir" "$BIN/filehog" "$@" \
		> "$TMP/$name.log" 2>&1 &
	echo $! > "$TMP/$name.pid"
	undo "hog_kill $name"
}

file_alive()
{
	kill -0 "$(cat "$TMP/$1.pid")" 2> /dev/null
}

# around_squeeze PAGES: another task takes memory until no more than that many pages of files are
# dirty. It can have its memory as long as someone writes. Nobody may be killed.
around_squeeze()
{
	local kills

	# It takes as much as that needs: others free memory meanwhile, and how much is not known
	# (caches of earlier tests, KASAN's quarantine). If nobody wrote, all of memory would not do, or
	# the OOM killer would come.
	kills=$(vmstat oom_kill)
	hog_start squeeze -c text -m "$(mem_mib MemTotal)" -P 1000 -D "$1"
	hog_filled squeeze
	hog_done squeeze || return 1
	kills=$(($(vmstat oom_kill) - kills))
	[ "$kills" = 0 ] && return 0
	say "the OOM killer came $kills times"
	return 1
}

# file_end NAME: waits for it, and fails if it failed.
file_end()
{
	local rc

	wait "$(cat "$TMP/$1.pid")"
	rc=$?
	rm -f "$TMP/$1.pid"
	[ "$rc" = 0 ] || show_file "$TMP/$1.log"
	return "$rc"
}

around_has_pending()
{
	local n

	n=$(around pending.folios)
	is_number "$n" && [ "$n" -gt 0 ]
}

# around_all_clean: has reclaim no dirty folio of the cgroup left to meet?
around_all_clean()
{
	grep -q '^file_dirty 0$' "$ACG/memory.stat"
}

# around_holds NAME MIB: stops that disk, and lets the cgroup shrink to that size until folios are
# queued. They stay queued until dm_go, as no more windows are let through. Reclaim wakes the
# flusher as well. If the flusher took all folios before reclaim met one, the cgroup gets its limit
# back, file_in repeats what it did last, and all of this is done again.
around_holds()
{
	local limit tries=5

	limit=$(cat "$ACG/memory.max")
	dm_stop "$1"
	until around_meets "$2" && loop_until 900 around_has_pending; do
		[ $tries -gt 0 ] && around_all_clean || return 1
		tries=$((tries - 1))
		dm_go "$1"
		around_met
		echo "$limit" > "$ACG/memory.max"
		# shellcheck disable=SC2086 # no argument of it has a space
		file_in $FILE_IN || return 1
		dm_stop "$1"
	done
}

# waits_in_kernel PID: does the task wait for a lock or a device?
waits_in_kernel()
{
	grep -q '^State:.D' "/proc/$1/status" 2> /dev/null &&
		! grep -q rcu "/proc/$1/wchan"
}

# around_amid MIB COMMAND...: runs the command as soon as folios were queued, until around_met. It
# fails if the command fails.
around_amid()
{
	around_meets "$1"
	shift
	"$@"
}

# around_held NAME MIB COMMAND...: the same, but that disk stands still until the command waits for
# the worker or for the disk. HELD counts how often folios were queued then.
HELD=0
around_held()
{
	local name="$1" mib="$2" pid

	shift 2
	if around_holds "$name" "$mib"; then
		"$@" &
		pid=$!
		! loop_until 900 waits_in_kernel $pid || ! around_has_pending || HELD=$((HELD + 1))
		dm_go "$name"
		wait $pid
	else
		dm_go "$name"
		"$@"
	fi
}

# --- rounds: something happens to a filesystem, again and again, while the worker writes to it

# around_race ROUNDS CHECKS TITLE: begins such a scenario. Its disk takes 20 ms for a write, and
# little may be in flight, so that folios stay queued. dm_stop "$RACE" makes the disk stand still.
# This sets ROUNDS, RACE and DEV.
around_race()
{
	need_helper
	need_memcg
	need_disk disk1
	need_dm delay
	ROUNDS=$(scaled "$1")
	# shellcheck disable=SC2153 # test.sh sets NAME
	RACE=rwb-${NAME##*/}
	start_test "$2" "$3"
	load_helper inflight=256
	disk_slow disk1 "$RACE" 20
	keeps_pages
}

# all_rounds FUNCTION [ARGUMENT...]: calls the function ROUNDS times, or until it fails. THIS_ROUND
# counts from 1.
all_rounds()
{
	THIS_ROUND=0
	while [ "$THIS_ROUND" -lt "$ROUNDS" ]; do
		THIS_ROUND=$((THIS_ROUND + 1))
		"$@" || return 1
	done
}

# around_by_turns MIB COMMAND...: in every second round the disk stands still meanwhile.
around_by_turns()
{
	if [ $((THIS_ROUND % 2)) = 0 ]; then
		around_amid "$@"
	else
		around_held "$RACE" "$@"
	fi
}

# --- the worker inside a submission

# around_few_tags DEV: its queue has room for fewer requests than a window has. A task that submits
# a window to a server that does not answer then waits in the block layer.
around_few_tags()
{
	local queue="/sys/block/${1##*/}/queue"

	set_file "$queue/scheduler" none && set_file "$queue/nr_requests" 4 &&
		set_file "$queue/max_sectors_kb" 64
}

# worker_inside: does a task that writes for us wait in a filesystem, for room in the queue or for a
# bitmap in which it looks for blocks? Such a task holds an inode, and s_umount of the superblock.
worker_inside()
{
	local stack

	# shellcheck disable=SC2013 # no spaces in these
	for stack in $(grep -ls '\[reclaimwb\]' /proc/[0-9]*/stack); do
		# The innermost function comes first. The task may be gone by now.
		awk '/writepages/ { writes = 1 }
			writes && /\[reclaimwb\]/ { ours = 1 } END { exit !ours }' "$stack" 2> /dev/null &&
			return 0
	done
	return 1
}

# waits_for_superblock PID: does the task wait for s_umount, which the worker shares?
waits_for_superblock()
{
	grep -qE "$SUPERBLOCK_WAITS" "/proc/$1/wchan" 2> /dev/null
}
SUPERBLOCK_WAITS='^(super_lock|freeze_super|deactivate_super|path_mount|do_remount)$'

# files_on_lru: drops all caches, and prints how many pages of files are still on the LRU lists. A
# folio that was truncated stays there for as long as someone holds a reference to it. kmemleak does
# not know pages.
files_on_lru()
{
	sync
	echo 3 > /proc/sys/vm/drop_caches
	echo 1 > /proc/sys/vm/stat_refresh
	awk '/^nr_(in)?active_file / { n += $2 } END { print n }' /proc/vmstat
}

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Write-around: the helper's ledger, and pressure on dirty file pages.

HOOK_SKIPS='full|share|devices|blockdev|swapfile|deadlock|nodevice|stuck|node|enough'
WORKER_SKIPS='gone|locked|clean|writeback|unmounting|frozen|readonly|freeing|unneeded|duplicate|moved|dropped'

# The kernel decides: where it has patch 1 and the module does not find it, that is
# a fault, not a reason to skip.
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

# keeps_pages: dirty pages stay dirty until someone asks for these pages: neither
# age nor amount sends the flusher.
keeps_pages()
{
	local dir=/proc/sys/vm

	# Bytes and ratio exclude each other, and bytes cannot be set to 0.
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

# around_quiet: nothing is queued, nothing is met, nothing is being written.
around_quiet()
{
	loop_until 200 is_idle around_state " 0 0" || {
		say "write-around did not become quiet: met, pending, writeback: $(around_state)"
		return 1
	}
}

# hsum REGEX: of the helper's rows in $TMP/helper.
hsum()
{
	sum "$TMP/helper" "$1"
}

# check_around_books WHAT: every target is accounted for, to the folio. 6 checks.
# shellcheck disable=SC2034
AROUND_BOOKS=6
check_around_books()
{
	local unknown

	check "$1: write-around ends" around_quiet
	cat "$LEDGER/helper" > "$TMP/helper"
	check_eq "$1: met = merged + queued + skipped when met" "$(hsum 'met\.folios')" \
		"$(hsum "merged\\.folios|queued\\.folios|skipped\\.($HOOK_SKIPS)\\.folios")"
	check_eq "$1: queued = written + skipped by the worker" "$(hsum 'queued\.folios')" \
		"$(hsum "written\\.folios|pending\\.folios|skipped\\.($WORKER_SKIPS)\\.folios")"
	unknown=$(grep '^skipped\.' "$TMP/helper" |
		grep -vE "^skipped\\.($HOOK_SKIPS|$WORKER_SKIPS)\\.folios " | grep -v ' 0$')
	check_eq "$1: each reason is known" "${unknown:-none}" none
	check_eq "$1: each window is in the histogram" "$(hsum 'window\.pages\.hist\.[0-9]+')" \
		"$(hsum windows)"
	check_eq "$1: so is the time of each cleaned target" "$(hsum 'clean\.us\.hist\.[0-9]+')" \
		"$(hsum 'clean\.targets')"
	show_around
}

# show_around: what happened, in three lines.
show_around()
{
	show_rows "$LEDGER/helper" '^device[.]|hist'
}

# --- pressure

# file PROGRAM_ARGUMENTS...: filehog, its words kept and shown when it fails.
file()
{
	"$BIN/filehog" "$@" > "$TMP/filehog" 2>&1 && return 0
	show_file "$TMP/filehog"
	return 1
}

show_file()
{
	show_lines < "$1"
}

# proves ARGUMENTS...: filehog verify (or mutate -V); it must have verified something.
# What it read is dropped, or the next writer would dirty pages that are charged to
# nobody's limit.
proves()
{
	file "$@" && grep -q 'verified [1-9][0-9]* pages, 0 bad' "$TMP/filehog" &&
		echo 1 > /proc/sys/vm/drop_caches
}

# around_cg NAME MIB: a memory cgroup with that limit; sets ACG.
around_cg()
{
	cg_make "$1"
	ACG=$CG/$1
	around_cg_limit "$2"
}

# around_cg_limit MIB: another limit for it. A lower one makes reclaim meet, here and
# now, what is too much.
around_cg_limit()
{
	echo "$1M" > "$ACG/memory.max" || bail "no limit for $ACG"
}

# around_meets MIB: it shrinks to that in the background, until around_met; true as
# soon as folios were queued. (They stay so for longer with a small "inflight", and
# as long as the disk stands still.)
around_meets()
{
	local before ends=false

	before=$(around queued.folios)
	echo "$1M" > "$ACG/memory.max" &
	MEETS=$!
	while [ "$(around queued.folios)" = "$before" ]; do
		# What it did last is looked at, too.
		! $ends || return 1
		kill -0 "$MEETS" 2> /dev/null || ends=true
	done
}

around_met()
{
	wait "$MEETS"
}

# file_in CGROUP_DIR ARGUMENTS...: filehog in a cgroup. FILE_IN: what it did last.
file_in()
{
	local dir="$1"

	FILE_IN="$*"
	shift
	in_cg "$dir" "$BIN/filehog" "$@" > "$TMP/filehog" 2>&1 && return 0
	show_file "$TMP/filehog"
	return 1
}

# file_bg NAME CGROUP_DIR ARGUMENTS...: in the background, until file_end NAME.
file_bg()
{
	local name="$1" dir="$2"

	shift 2
	# Not in_cg: that would be a shell's pid, whose child outlives it.
	sh -c 'echo $$ > "$0/cgroup.procs" && exec "$@"' "$dir" "$BIN/filehog" "$@" \
		> "$TMP/$name.log" 2>&1 &
	echo $! > "$TMP/$name.pid"
	undo "hog_kill $name"
}

file_alive()
{
	kill -0 "$(cat "$TMP/$1.pid")" 2> /dev/null
}

# around_squeeze PAGES: another task takes memory until no more pages of files are
# dirty: what it asks for can be had, as long as someone writes. Nobody may be killed
# for it.
around_squeeze()
{
	local kills

	# As much as that takes: others give back what is not known beforehand (caches of
	# the tests before, KASAN's quarantine). Were nobody to write, the OOM killer came.
	kills=$(vmstat oom_kill)
	hog_start squeeze -c text -m "$(mem_mib MemTotal)" -P 1000 -D "$1"
	hog_filled squeeze
	hog_done squeeze || return 1
	kills=$(($(vmstat oom_kill) - kills))
	[ "$kills" = 0 ] && return 0
	say "the OOM killer came $kills times"
	return 1
}

# file_end NAME: wait for it; fails if it failed.
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

# around_all_clean: no folio of the cgroup is left for reclaim to meet.
around_all_clean()
{
	grep -q '^file_dirty 0$' "$ACG/memory.stat"
}

# around_holds NAME MIB: that disk (dm_stop) stands still, and the cgroup shrinks to so much
# until folios are queued; they stay so, as no more windows are let through, until dm_go.
# Reclaim wakes the flusher, too. Where that took all folios before reclaim met one, the
# cgroup has its limit back, file_in does again what it did last, and all of it is repeated.
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

# waits_in_kernel PID: for a lock or a device.
waits_in_kernel()
{
	grep -q '^State:.D' "/proc/$1/status" 2> /dev/null &&
		! grep -q rcu "/proc/$1/wchan"
}

# around_amid MIB COMMAND...: it comes as soon as folios were queued, until around_met. Fails
# as the command does.
around_amid()
{
	around_meets "$1"
	shift
	"$@"
}

# around_held NAME MIB COMMAND...: the same, but that disk stands still until the command
# waits for the worker or for that disk, with folios queued; HELD counts how often that was so.
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

# --- rounds: something befalls a filesystem, over and over, while the worker writes to it

# around_race ROUNDS CHECKS TITLE: the beginning of such a scenario. Its disk takes 20 ms for a
# write and little may be in flight, so that folios stay queued; it can be made to stand still by
# its name, which is RACE. Sets ROUNDS, RACE and DEV.
around_race()
{
	need_helper
	need_memcg
	need_disk disk1
	need_dm delay
	ROUNDS=$(scaled "$1")
	RACE=rwb-${NAME##*/}
	start_test "$2" "$3"
	load_helper inflight=256
	disk_slow disk1 "$RACE" 20
	keeps_pages
}

# all_rounds FUNCTION [ARGUMENT...]: calls it ROUNDS times, with ROUND from 1 on, until it fails.
all_rounds()
{
	ROUND=0
	while [ "$ROUND" -lt "$ROUNDS" ]; do
		ROUND=$((ROUND + 1))
		"$@" || return 1
	done
}

# around_by_turns MIB COMMAND...: in every second round the disk stands still.
around_by_turns()
{
	if [ $((ROUND % 2)) = 0 ]; then
		around_amid "$@"
	else
		around_held "$RACE" "$@"
	fi
}

# --- the worker inside of a submission

# around_few_tags DEV: its queue has room for fewer requests than a window is: who submits one to
# a server that does not answer waits in the block layer until it does.
around_few_tags()
{
	local queue="/sys/block/${1##*/}/queue"

	set_file "$queue/scheduler" none && set_file "$queue/nr_requests" 4 &&
		set_file "$queue/max_sectors_kb" 64
}

# worker_inside: a task waits in a filesystem that writes for us, for a place in the queue, or
# for a bitmap to find blocks in: it holds an inode, and the superblock's s_umount.
worker_inside()
{
	local stack

	# shellcheck disable=SC2013 # no spaces in these
	for stack in $(grep -ls '\[reclaimwb\]' /proc/[0-9]*/stack); do
		# The innermost comes first. It may be gone by now.
		awk '/writepages/ { writes = 1 }
			writes && /\[reclaimwb\]/ { ours = 1 } END { exit !ours }' "$stack" 2> /dev/null &&
			return 0
	done
	return 1
}

# waits_for_superblock PID: for s_umount, which the worker shares.
waits_for_superblock()
{
	grep -qE "$SUPERBLOCK_WAITS" "/proc/$1/wchan" 2> /dev/null
}
SUPERBLOCK_WAITS='^(super_lock|freeze_super|deactivate_super|path_mount|do_remount)$'

# files_on_lru: pages of files on the LRU lists once all that can be dropped has been. A folio
# that was truncated while someone never gives up a reference to it stays there; kmemleak knows
# nothing of pages.
files_on_lru()
{
	sync
	echo 3 > /proc/sys/vm/drop_caches
	echo 1 > /proc/sys/vm/stat_refresh
	awk '/^nr_(in)?active_file / { n += $2 } END { print n }' /proc/vmstat
}

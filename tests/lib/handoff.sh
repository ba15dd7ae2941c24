# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # what deltas sets
#
# Handoff: the ledger of the helper's swap-out.

# need_handoff: a kernel with patch 2 must have it, as for need_helper.
need_handoff()
{
	need_mod
	need_root
	grep -q ' swap_write_prepared$' /proc/kallsyms ||
		skip_all "this kernel has no swap_write_prepared (patch 2)"
}

# load_handoff [PARAM=VALUE...]: loads the module with this half of the helper alone.
load_handoff()
{
	load_mod write_around=N handoff=always "$@"
	[ "$(handoff state)" = on ] || bail "handoff is $(handoff state), not on"
}

# handoff KEY
handoff()
{
	row handoff "$1"
}

# handed REGEX: prints the current sum of the rows whose whole key matches.
handed()
{
	sum "$LEDGER/handoff" "$1"
}

# handoff_state: also prints what the ledger has in flight, as nr_writeback lags: each CPU keeps a
# part of it to itself.
handoff_state()
{
	awk '$1 == "pending.requests" || $1 == "written.requests" { printf "%s ", $2 }
		$1 ~ /^device\..*\.inflight_pages$/ { n += $2 }
		END { printf "%d ", n }' "$LEDGER/handoff"
	awk '/^nr_writeback / { print $2 }' /proc/vmstat
}

# handoff_quiet: waits until nothing is queued or under writeback.
handoff_quiet()
{
	loop_until 300 is_idle handoff_state " 0 0 0" || {
		say "handoff did not become quiet: written, pending, in flight, writeback: $(handoff_state)"
		return 1
	}
}

# check_handoff_books WHAT: checks that every request is accounted for. Makes 5 checks.
# shellcheck disable=SC2034
HANDOFF_BOOKS=5
check_handoff_books()
{
	local taken

	check "$1: the writers come to rest" handoff_quiet
	cat "$LEDGER/handoff" > "$TMP/handoff"
	taken=$(sum "$TMP/handoff" '[a-z_]*\.taken\.requests')
	check_eq "$1: every request that was taken was written" "$taken" \
		"$(sum "$TMP/handoff" 'written\.requests|pending\.requests')"
	check_eq "$1: the histogram has the time of each in the queue" \
		"$(sum "$TMP/handoff" 'queued\.us\.hist\.[0-9]+')" "$taken"
	check_eq "$1: the histogram has the time of each request" "$(sum "$TMP/handoff" 'request\.us\.hist\.[0-9]+')" \
		"$(sum "$TMP/handoff" 'requests')"
	check_eq "$1: the requests ended with all pages that were taken" "$(sum "$TMP/handoff" 'request\.pages')" \
		"$(sum "$TMP/handoff" '[a-z_]*\.taken\.pages')"
	show_handoff
}

# below ORIGIN: prints the samples of the block layer and below. If there are any, tasks of that
# origin have submitted something themselves.
below()
{
	sum "$LEDGER/headroom" "($1)\\.(bio|nbd|net)\\.count"
}

# show_load NAME: shows what swapload said, from $TMP/load.NAME.
show_load()
{
	show_lines "$1: " < "$TMP/load.$1"
}

# swapload_verified NAME RC: shows it. Was every touch right? If a task is killed, the others go on,
# and only the exit code tells.
swapload_verified()
{
	show_load "$1"
	[ "$2" = 0 ] && grep -q '^verified [1-9][0-9]* touches, 0 bad$' "$TMP/load.$1"
}

# show_handoff: shows what happened, in a few lines.
show_handoff()
{
	show_rows "$LEDGER/handoff" hist
}

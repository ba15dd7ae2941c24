# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # what deltas sets
#
# Handoff: the helper's ledger of swap-out.

# The kernel decides, as for need_helper.
need_handoff()
{
	need_mod
	need_root
	grep -q ' reclaim_writeback_swap_out$' /proc/kallsyms ||
		skip_all "this kernel has no reclaim_writeback_swap_out (patch 2)"
}

# load_handoff [PARAM=VALUE...]: with that half of the helper alone.
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

# handed REGEX: the sum of the rows whose whole key matches, now.
handed()
{
	sum "$LEDGER/handoff" "$1"
}

# handoff_state: what is in flight by the ledger, too: nr_writeback lags, as each CPU keeps
# some of it to itself.
handoff_state()
{
	awk '$1 == "pending.folios" || $1 == "written.folios" { printf "%s ", $2 }
		$1 ~ /^device\..*\.inflight_pages$/ { n += $2 }
		END { printf "%d ", n }' "$LEDGER/handoff"
	awk '/^nr_writeback / { print $2 }' /proc/vmstat
}

handoff_still()
{
	local a

	a=$(handoff_state)
	sleep 0.3
	[ "$a" = "$(handoff_state)" ] || return 1
	case $a in
	*" 0 0 0") ;;
	*) return 1 ;;
	esac
}

# handoff_quiet: nothing is queued, nothing is being written.
handoff_quiet()
{
	loop_until 300 handoff_still || {
		say "handoff did not become quiet: written, pending, in flight, writeback: $(handoff_state)"
		return 1
	}
}

# check_handoff_books WHAT: every folio that was taken is accounted for. 5 checks.
# shellcheck disable=SC2034
HANDOFF_BOOKS=5
check_handoff_books()
{
	local taken

	check "$1: the writers end" handoff_quiet
	cat "$LEDGER/handoff" > "$TMP/handoff"
	taken=$(sum "$TMP/handoff" '[a-z_]*\.taken\.folios')
	check_eq "$1: taken = written + skipped" "$taken" \
		"$(sum "$TMP/handoff" 'written\.folios|skipped\.[a-z]*\.folios|pending\.folios')"
	check_eq "$1: each has its time in the histogram" \
		"$(sum "$TMP/handoff" 'queued\.us\.hist\.[0-9]+')" "$taken"
	check_eq "$1: so has each request" "$(sum "$TMP/handoff" 'request\.us\.hist\.[0-9]+')" \
		"$(sum "$TMP/handoff" 'requests')"
	check_eq "$1: what is in requests is what the writer queued to a device" \
		"$(sum "$TMP/handoff" 'request\.pages')" \
		"$(sum "$LEDGER/writes" 'writer\.(anon|shmem)\.io\.pages')"
	show_handoff
}

# show_load NAME: what swapload said, in $TMP/load.NAME.
show_load()
{
	local line

	while read -r line; do say "$1: $line"; done < "$TMP/load.$1"
}

# swapload_verified NAME RC: shows it; was every touch right? If a task is killed the others
# go on, and only the exit code tells.
swapload_verified()
{
	show_load "$1"
	[ "$2" = 0 ] && grep -q '^verified [1-9][0-9]* touches, 0 bad$' "$TMP/load.$1"
}

# show_handoff: what happened, in a few lines.
show_handoff()
{
	awk '/hist/ { next } $2 != 0 { line = line " " $1 "=" $2 }
		length(line) > 150 { print line; line = "" } END { print line }' "$LEDGER/handoff" |
	while read -r line; do
		say "  $line"
	done
}

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The kernel's own tracing, in an instance of ours, as a second opinion.

TRACING=/sys/kernel/tracing
INSTANCE=$TRACING/instances/rwb-test

# trace_start EVENT...: each is SYSTEM/NAME.
trace_start()
{
	local e

	mkdir -p "$INSTANCE" || bail "no tracefs instance"
	undo trace_stop
	echo 0 > "$INSTANCE/tracing_on"
	echo "${TRACE_KIB:-4096}" > "$INSTANCE/buffer_size_kb"
	# All CPUs need one clock: a window is matched across migrations.
	echo global > "$INSTANCE/trace_clock"
	for e; do
		echo 1 > "$INSTANCE/events/$e/enable" || bail "no event $e"
	done
	echo > "$INSTANCE/trace"
	echo 1 > "$INSTANCE/tracing_on"
}

trace_stop()
{
	[ -d "$INSTANCE" ] || return 0
	echo 0 > "$INSTANCE/tracing_on"
	echo 0 > "$INSTANCE/events/enable"
	rmdir "$INSTANCE"
}

# trace_mark TEXT: writes a line into the trace, if there is one.
trace_mark()
{
	[ ! -d "$INSTANCE" ] || echo "$1" > "$INSTANCE/trace_marker"
}

# trace_lost: prints how many events did not fit.
trace_lost()
{
	cat "$INSTANCE"/per_cpu/cpu*/stats |
		awk '/^(overrun|commit overrun|dropped events):/ { n += $NF; k++ }
			END { if (k) print n; else print "missing" }'
}

trace_count()
{
	grep -c " $1: " "$INSTANCE/trace"
}

WINDOWS="
	vmscan/mm_vmscan_balance_pgdat_begin vmscan/mm_vmscan_balance_pgdat_end
	vmscan/mm_vmscan_direct_reclaim_begin vmscan/mm_vmscan_direct_reclaim_end
	vmscan/mm_vmscan_memcg_reclaim_begin vmscan/mm_vmscan_memcg_reclaim_end
	vmscan/mm_vmscan_memcg_softlimit_reclaim_begin
	vmscan/mm_vmscan_memcg_softlimit_reclaim_end
	vmscan/mm_vmscan_node_reclaim_begin vmscan/mm_vmscan_node_reclaim_end
	vmscan/mm_vmscan_write_folio"

# trace_windows: begins to trace what trace_origins needs.
trace_windows()
{
	# shellcheck disable=SC2086 # a list
	trace_start $WINDOWS
}

# trace_origins: replays the trace. A write belongs to the innermost window that its task has open.
# Prints "<origin> <folios>" for kswapd, direct, memcg, memcg_soft, node and outside, in that order,
# and all of them. Only writes between the last snapshots "before" and "after" count, since any fork
# may write under pressure.
trace_origins()
{
	awk '
	/^#/ { next }
	match($0, /-[0-9]+ +\[[0-9]+\]/) {
		pid = substr($0, RSTART + 1, RLENGTH - 1); sub(/ .*/, "", pid)
		if ($0 ~ /tracing_mark_write: snap before/) split("", n)
		if ($0 ~ /tracing_mark_write: snap after/)
			for (i = 1; i <= k; i++) sum[order[i]] = n[order[i]] + 0
		if (!match($0, /mm_vmscan_[a-z_]+:/)) next
		ev = substr($0, RSTART, RLENGTH - 1)
		if (ev == "mm_vmscan_write_folio") {
			o = depth[pid] ? win[pid, depth[pid]] : "outside"
			# This does not depend on windows: the writes of kswapd are made by kswapd.
			if ((o == "kswapd") != ($0 ~ /^ *kswapd[0-9]/) && o != "memcg_soft")
				o = "mismatch"
			n[o]++
		} else if (ev ~ /_begin$/) {
			sub(/^mm_vmscan_/, "", ev); sub(/(_reclaim)?_begin$/, "", ev)
			win[pid, ++depth[pid]] = name[ev]
		} else if (depth[pid] > 0) {
			depth[pid]--
		}
	}
	BEGIN {
		name["balance_pgdat"] = "kswapd"; name["direct"] = "direct"
		name["memcg"] = "memcg"; name["memcg_softlimit"] = "memcg_soft"
		name["node"] = "node"
		k = split("kswapd direct memcg memcg_soft node outside mismatch", order, " ")
	}
	END {
		for (i = 1; i <= k; i++)
			print order[i], order[i] in sum ? sum[order[i]] : "unmarked"
	}' "$INSTANCE/trace"
}

# check_origins: compares the ledger with the replayed trace, folio by folio.
# shellcheck disable=SC2034
ORIGIN_CHECKS=8
check_origins()
{
	local o rows got expected

	check_eq "the trace has every event" "$(trace_lost)" 0
	trace_origins > "$TMP/origins"
	set --
	while read -r o expected; do
		case $o in
		memcg)	rows='memcg_(max|high|reclaim)' ;;
		outside) rows='(madvise|other)' ;;
		mismatch) rows='lost' ;;
		*)	rows=$o ;;
		esac
		set -- "$@" "$o=writes:$rows\\.(anon|shmem)\\.[a-z]*\\.folios"
	done < "$TMP/origins"
	deltas "$@"
	while read -r o expected; do
		eval "got=\$d_$o"
		check_eq "$o: as many folios as the trace has" "$got" "$expected"
	done < "$TMP/origins"
}

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: random dirtier
# A task writes 4 KiB at random places in one big file while another task keeps memory short.
# metrics: oom_kills finish_s longest_ms write_requests request_kib seeks seek_mib written_per_freed scanned_per_freed others_pages
# mem: 512M
# timeout: 120
. "$(dirname "$0")/lib.sh"

WRITES=3000 LEFT=12
set_up 2 "random dirtier"
# The watermarks must lie close together, or they would hold more than all that is written.
vm min_free_kbytes 4096
# The writer is throttled late, so that reclaim meets what it has dirtied.
late_dirty

# Most memory belongs to the churner. The pages of the file have LEFT MiB.
churner()
{
	local take=$(($(mem_mib MemAvailable) + $(wmark_mib high) - $(wmark_mib min) - LEFT))

	"$BIN/benchload" -k churn -m 4 -S "$TMP/done" churn $take > "$TMP/churn" 2>&1 &
	churn_pid=$!
	undo "kill $churn_pid 2> /dev/null"
	loop_until 300 short_of_memory || bail "memory is not short"
}

short_of_memory()
{
	[ "$(mem_mib MemAvailable)" -lt $((LEFT * 2)) ]
}

dirtier()
{
	load -k load -y -O -o random -c $WRITES write $OLD $OLD_MIB
	touch "$TMP/done"
	until_done $churn_pid
	rc=$?
}

churner
# No memory is free, so that each page that is written takes the place of another.
cat $OLD > /dev/null
measured dirtier
cat "$TMP/churn" >> "$RESULTS/loads"
check_eq "the churner came to its end" "$rc" 0
verified "every page is right" -O -o random -c $WRITES verify $OLD $OLD_MIB

finish

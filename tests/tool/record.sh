#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# `reclaimwb record` writes down, event by event, what the ledgers add up. It counts what it lost,
# leaves a whole file when a signal ends it, and leaves no trace instance behind.
# guards: tool/src/record/ rust/shim/events.c
# faults: report books
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_tool
start_test 32 "recordings against the ledger"
load_mod
zram_swap_on 64
M=$(scaled 16)
# A quarter of it makes more events than the smallest buffer holds.
[ "$M" -ge 12 ] || M=12
REC=$TMP/rec.jsonl
GROUP=$CG/rwb-record

cg_make rwb-record
hog_in "$GROUP" hog -c text -m "$M"
hog_filled hog
quiesce

# rows before|after LEDGER: prints the rows of one ledger in that snapshot of $REC.
rows()
{
	awk -v at="{\"$1\":" -v ledger="\"$2\":{\"rows\":[\"" '
		index($0, at) == 1 && (start = index($0, ledger)) {
			text = substr($0, start + length(ledger))
			sub(/"\].*/, "", text)
			n = split(text, row, /","/)
			for (i = 1; i <= n; i++) print row[i]
		}' "$REC"
}

# grown LEDGER REGEX: prints how much those rows grew during the recording.
grown()
{
	rows before "$1" > "$TMP/rows.before"
	rows after "$1" > "$TMP/rows.after"
	awk -v re="^($2)\$" '
		$1 ~ re && NR == FNR { s -= $2; b++ }
		$1 ~ re && NR != FNR { s += $2; a++ }
		END { if (a && b) printf "%.0f\n", s; else print "missing" }' \
		"$TMP/rows.before" "$TMP/rows.after"
}

# events NAME [ORIGIN]: prints how many of them are in $REC.
events()
{
	grep -c "^{\"event\":.*\"name\":\"$1\".*\"origin\":\"${2:-}" "$REC"
}

# field EVENT NAME: prints the sum of that number.
field()
{
	sed -n "s/^{\"event\":.*\"name\":\"$1\".*\"$2\":\([0-9]*\)[,}].*/\1/p" "$REC" |
		awk '{ s += $1; n++ } END { if (n) printf "%.0f\n", s; else print "missing" }'
}

# ended NAME: prints what the last line says.
ended()
{
	tail -n 1 "$REC" | sed -n "s/^{\"end\":{.*\"$1\":\([a-z0-9.]*\)[,}].*/\1/p"
}

left_behind()
{
	find "$TRACING/instances" -name 'reclaimwb-record-*' | grep -c .
}

# reclaim MIB: reclaims that much of the hog's memory.
reclaim()
{
	echo "${1}M swappiness=max" > "$GROUP/memory.reclaim" 2> /dev/null
}

# --- a command is recorded: every event is there, and nothing is left behind
# shellcheck disable=SC2016 # for the inner shell
"$TOOL" record -o "$REC" --buffer 4MiB --events reclaim_write,reclaim_window,stall -- \
	sh -c 'echo "$1" > "$2" 2> /dev/null; sleep 1; exit 5' sh \
	"$((M / 2))M swappiness=max" "$GROUP/memory.reclaim" 2> "$TMP/said"
RC=$?
show_lines "it said: " < "$TMP/said"
check_eq "the command's exit code is passed on" "$RC" 5
check_eq "the exit code is in the file" "$(ended exit)" 5
check_eq "a recording that is whole needs no message" "$(cat "$TMP/said"; echo end)" end
check_eq "no partial file is left" "$(find "$TMP" -name '*.partial')end" end
check_eq "no trace instance is left" "$(left_behind)" 0
check_eq "no event was lost" "$(ended lost)" 0
check_eq "no line was unreadable" "$(ended unreadable)" 0
check_eq "the end counts the events" "$(ended events)" "$(grep -c '^{"event":' "$REC")"
check_num "there were writes" "$(grown writes 'total\.folios')" -gt 0
check_eq "there is one reclaim_write for a folio" "$(events reclaim_write)" "$(grown writes 'total\.folios')"
check_eq "their nr_pages sum to the pages" "$(field reclaim_write nr_pages)" \
	"$(grown writes 'total\.pages')"
check_eq "there is one reclaim_window for a window" "$(events reclaim_window memcg_reclaim)" \
	"$(grown writes 'memcg_reclaim\.windows')"
check_eq "their nr_reclaimed sums to what was freed" "$(field reclaim_window nr_reclaimed)" \
	"$(grown writes 'memcg_reclaim\.reclaimed')"
check_num "there were stalls" "$(grown stalls "$STALL_ORIGIN\\.stalls")" -gt 0
check_eq "there is one stall event for a stall" "$(events stall)" "$(grown stalls "$STALL_ORIGIN\\.stalls")"
NS=$(grown stalls "$STALL_ORIGIN\\.ns")
US=$(field stall usecs)
# Each is rounded down.
check "the events have the stalls' time, $US us of $NS ns" \
	[ "$US" -le "$((NS / 1000))" -a "$((US + $(events stall)))" -ge "$((NS / 1000))" ]
reports()
{
	"$TOOL" report "$1" > "$TMP/report" 2>&1
}

differs()
{
	"$TOOL" diff "$REC" "$REC" "$@" > "$TMP/diff" 2>&1
}

check "the report reads the recording" reports "$REC"
check "it says which interval it is about" grep -q ' to .* ([0-9.]* s); module' "$TMP/report"
check "a recording does not differ from itself" differs \
	--fail-if 'stall.p99 > 1.01x' --fail-if 'writes.pages > 1.01x'
check_not "a bound that is too low fails" differs --fail-if 'writes.pages >= 1'

# --- Ctrl-C ends a recording: the file is whole all the same
recorder "$REC"
check_eq "while it records there is one trace instance" "$(left_behind)" 1
reclaim 1
recorder_end INT
RC=$?
check_eq "Ctrl-C is no failure" "$RC" 0
check_eq "the file says that it was interrupted" "$(ended interrupted)" true
check_eq "it has no exit code" "$(ended exit)" null
check_eq "no trace instance is left" "$(left_behind)" 0

# --- a small buffer overflows while the recorder sleeps: each event is in the file, or counted as lost
recorder "$REC" --buffer 8KiB --events reclaim_write
kill -STOP "$RECORDER"
reclaim "$((M / 4))"
quiesce
kill -CONT "$RECORDER"
recorder_end TERM
check_num "events were lost" "$(ended lost)" -gt 0
check_eq "lost and recorded events sum to the folios" "$(($(ended lost) + $(events reclaim_write)))" \
	"$(grown writes 'total\.folios')"

# --- a recorder is killed: its file has a name that says so, and the next recorder tidies up
rm "$REC"
recorder "$REC"
recorder_kill
check "a killed recorder leaves a partial file" [ -e "$REC.partial" -a ! -e "$REC" ]
check_not "the report refuses that file" reports "$REC.partial"
check_eq "the trace instance is still there" "$(left_behind)" 1
"$TOOL" record -o "$REC" --duration 1s
check_eq "the next recorder removes the trace instance" "$(left_behind)" 0

check "every page came back right" hog_done hog
finish

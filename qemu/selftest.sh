#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# selftest.sh [--kernel-free]: does the harness notice what goes wrong? tests/meta/ has scripts that
# panic, freeze, hang, have a wrong plan and so on. Each must be reported as what it is.
# --kernel-free runs only what needs no guest. The output is KTAP.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/lib.sh"
# shellcheck source=result.sh
. "$TOP/qemu/result.sh"

dir=$OUT/selftest
mkdir -p "$dir"

# --- without a guest: how is a log counted?

suite_ktap() { PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOP/qemu python3 -m suite.ktap "$@"; }
sums_to() { # EXPECTED LINE...
	local expected=$1 got
	shift
	got=$(printf '%s\n' "$@" | suite_ktap sum t.sh)
	[ "$got" = "$expected" ] || { echo "# expected '$expected', got '$got'"; return 1; }
}

kernel_free() {
	result "an empty log is a failure" sums_to "0 1 0 0 did not run" ""
	result "another script's log is a failure" \
		sums_to "0 1 0 0 did not run" "# begin u.sh" "1..1" "ok 1 a" "# end u.sh rc=0"
	result "begin and end alone are a failure" sums_to "0 1 0 0 no plan" "# begin t.sh" "# end t.sh rc=0"
	result "a plan alone is a failure" \
		sums_to "0 1 0 0 0 of 2 planned results" "# begin t.sh" "1..2" "# end t.sh rc=0"
	result "an empty plan is a failure" sums_to "0 1 0 0 no result" "# begin t.sh" "1..0" "# end t.sh rc=0"
	result "no end is a failure" sums_to "1 1 0 0 did not end" "# begin t.sh" "1..1" "ok 1 a"
	result "two plans are a failure" \
		sums_to "1 1 0 0 2 plans" "# begin t.sh" "1..1" "1..1" "ok 1 a" "# end t.sh rc=0"
	result "results without a plan are a failure" sums_to "1 1 0 0 no plan" "# begin t.sh" "ok 1 a" "# end t.sh rc=0"
	result "a plan may come at the end" sums_to "1 0 1 7 -" \
		"# begin t.sh" "ok 1 a" "ok 2 b # SKIP c" "1..2" "# end t.sh rc=0 seconds=7"
	result "results of a nested test are not counted" \
		sums_to "1 0 0 0 -" "# begin t.sh" "1..1" "    not ok 1 x" "ok 1 a" "# end t.sh rc=0"
	result "a good log is good" sums_to "1 0 1 7 -" \
		"# begin t.sh" "1..2" "ok 1 a" "ok 2 b # SKIP c" "# end t.sh rc=0 seconds=7"
	result "the pattern list has no empty line, which would match all" \
		test -z "$(grep -n '^[[:space:]]*$' "$TOP/qemu/console-badness.txt")"
	result "the pattern list finds a warning" matches 'WARNING: CPU: 0 PID: 1 at mm/vmscan.c:1'
	result "the pattern list lets our own lines pass" \
		not matches 'reclaimwb: loading out-of-tree module taints kernel.'
}
matches() { grep -qE -f "$TOP/qemu/console-badness.txt" <<<"$1"; }
not() { ! "$@"; }

# --- with guests: what does the runner say about each script?

log=$dir/run.log
# adds_up LOG: the last line is the sum of the scripts' lines, and has what a run of these scripts
# must have at least. (The result just before a panic may be lost.)
adds_up() {
	awk '/^(ok|FAIL|skip) / {
			for (i = 2; i <= NF; i++)
				if ($i ~ /^(passed|failed|skipped)[,:]?$/) sum[substr($i, 1, 1)] += $(i - 1)
		}
		{ last = $0 }
		END {
			want = sprintf("%d passed, %d failed, %d skipped", sum["p"], sum["f"], sum["s"])
			if (last == want && sum["p"] >= 27 && sum["f"] == 16 && sum["s"] == 6)
				exit 0
			print "# expected \047" want "\047, got \047" last "\047"
			exit 1
		}' "$1"
}
# went SCRIPT MARK...: the script has lines with these marks, in that order, and no others.
went() {
	local got
	got=$(awk -v script="$1" '$2 == "base" && $3 == script { print $1 }' "$log" | xargs)
	[ "$got" = "${*:2}" ] || { echo "# $1: expected '${*:2}', got '$got'"; return 1; }
}
says() { # EXTENDED REGULAR EXPRESSION
	grep -qE -- "$1" "$log" || { echo "# no line like: $1"; return 1; }
}

with_guests() {
	local a=0 b=0 second
	# Two guests run side by side. One is frozen, and found because it is silent. The other
	# panics, and a third one runs the rest of its scripts.
	RWB_SILENCE=20 "$TOP/qemu/run-tests.py" --out "$dir/frozen" meta/freezes.sh >"$dir/frozen.log" 2>&1 &
	second=$!
	"$TOP/qemu/run-tests.py" --out "$dir/test" meta/good.sh meta/panics.sh meta/skips.sh meta/hangs.sh \
		meta/says_nothing.sh meta/no_plan.sh meta/short.sh meta/misnumbered.sh meta/fails.sh \
		meta/plan_at_end.sh meta/empty_loop.sh meta/dies.sh \
		meta/bad_exit.sh meta/bails_out.sh meta/leaves_process.sh meta/bad_log.sh \
		meta/unlucky.sh meta/lucky_later.sh meta/half_unlucky.sh >"$log" 2>&1 || a=$?
	wait $second || b=$?
	cp "$log" "$dir/test.log"
	cat "$dir/frozen.log" >>"$log"
	sed 's/^/# /' "$log"

	result "a run with failures exits with 1" test "$a,$b" = 1,1
	result "a good script passes" says '^ok +base +meta/good.sh +1 passed, 1 skipped'
	result "a skipped script is skipped" says '^skip base +meta/skips.sh +0 passed, 1 skipped'
	result "a panic is found, with its reason" says '^FAIL base +meta/panics.sh .*took the guest down: Kernel panic.*sysrq'
	result "the scripts after a panic have run in a new guest" test -s "$dir/test/base/vm1-2/ktap.log"
	result "a silent guest is found" says '^FAIL base +meta/freezes.sh .*took the guest down: the guest said nothing'
	result "a hanging script is found" says '^FAIL base +meta/hangs.sh .*took too long and was killed'
	result "the scripts after a hang run in a new guest" grep -q '^# begin meta/says_nothing.sh' "$dir/test/base/vm1-3/ktap.log"
	result "a script that says nothing is found" says '^FAIL base +meta/says_nothing.sh .*: no plan'
	result "a missing plan is found" says '^FAIL base +meta/no_plan.sh .*: no plan'
	result "missing results are found" says '^FAIL base +meta/short.sh .*: 2 of 3 planned results'
	result "a missing number is found" says '^FAIL base +meta/misnumbered.sh .*: result 2 has the number 3'
	result "a plan at the end is accepted" says '^ok +base +meta/plan_at_end.sh +5 passed'
	result "a loop that never ran is found" says '^ +# section the kinds: got 0 checks, expected 2$'
	result "a check in no section is found" says '^ +# section after the last one: got 1 checks, expected 0$'
	result "an early end is found, whatever its exit code" says '^FAIL base +meta/dies.sh .*: no plan'
	result "a failure is found, with the comment before it" says '^ +# 2 is not 3$'
	result "a bad exit code is found" says '^FAIL base +meta/bad_exit.sh .*: exit code 3'
	result "a bail-out is found" says '^FAIL base +meta/bails_out.sh .*: Bail out!'
	result "a left-over process is found and ended" \
		grep -q '^# init: killed left-over process' "$dir/test/base/meta-leaves_process.sh.ktap"
	result "a bad kernel log line is found, with the script that made it" \
		says '^ +# kernel log, in meta/bad_log.sh: BUG: not a real one'
	result "a script that failed only by chance runs again, as often as there are tries" \
		went meta/unlucky.sh again again FAIL
	result "it has failed if its last try did" says '^FAIL base +meta/unlucky.sh +1 passed, 1 failed'
	result "it has passed if its last try did" went meta/lucky_later.sh again ok
	result "a script that also failed for sure does not run again" went meta/half_unlucky.sh FAIL
	result "the guest's own checks do not count failures by chance" went init ok FAIL ok ok
	result "the results came back" grep -q 'rwb-init: begin meta/good.sh\|Linux version' "$dir/test/base/vm1-2/results/dmesg.txt"
	result "the totals add up" adds_up "$dir/test.log"
}

echo "TAP version 13"
if [ "${1:-}" = --kernel-free ]; then
	echo "1..14"
	kernel_free
else
	echo "1..42"
	kernel_free
	with_guests
fi
[ $failures = 0 ]

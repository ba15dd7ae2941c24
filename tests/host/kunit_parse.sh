#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own parser (tools/testing/kunit/kunit.py) reads the suite's KTAP: the log of a script
# as it is, and a whole run, of which qemu/suite/ktap.py makes one document. ktap/suite.ktap comes
# from real runs, and is cut short.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

suite=$TOP/tests/host/ktap/suite.ktap
kunit=${helpers%/selftests/*}/kunit/kunit.py
if [ ! -f "$kunit" ]; then
	ktap_print_header
	ktap_skip_all "this kernel source has no tools/testing/kunit/kunit.py"
	exit "$KSFT_SKIP"
fi

# script NAME: prints its part of the run.
script() { sed -n "\\@^# begin $1\$@,\\@^# end $1 @p" "$suite"; }
nest() { PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOP/qemu python3 -m suite.ktap nest; }
# parsed WHAT: reads stdin with the parser. Prints `tests passed failed skipped errors crashed`, or
# the results at the top, one on a line.
parsed() {
	cat >"$scratch/in"
	python3 "$kunit" parse --json="$scratch/json" "$scratch/in" >"$scratch/out" 2>&1
	python3 - "$scratch/json" "$1" <<-'PYTHON'
		import json, sys
		read = json.load(open(sys.argv[1]))
		if sys.argv[2] == "counts":
		    print(*(read["misc"][k] for k in ("tests", "passed", "failed", "skipped", "errors", "crashed")))
		else:
		    for group in read["sub_groups"]:
		        print(group["name"], *(group["misc"][k] for k in ("tests", "passed", "failed", "skipped")))
		    for case in read["test_cases"]:
		        print(case["name"], case["status"])
	PYTHON
}
counts() { parsed counts; }

ktap_print_header
ktap_set_plan 10

is "a script's log: all pass" "$(script kind/zswap.sh | counts)" "5 5 0 0 0 0"
is "a log with a skip" "$(script init | counts)" "3 2 0 1 0 0"
is "a log with a failure, and lines that are no KTAP" "$(script stall/compaction.sh | counts)" "7 6 1 0 0 0"

is "a run has a subtest for each script" "$(script init | cat - <(script stall/compaction.sh) <(script kind/zswap.sh) | nest | parsed top)" \
	$'init 3 2 0 1\nstall/compaction.sh 7 6 1 0\nkind/zswap.sh 5 5 0 0'
is "its sums" "$(script init | cat - <(script stall/compaction.sh) <(script kind/zswap.sh) | nest | counts)" "15 13 1 1 0 0"
is "a script that skips has its reason" "$(script origin/memcg-soft.sh | nest | grep '^ok')" \
	"ok 1 origin/memcg-soft.sh # SKIP cgroup v1 has no memory controller here"
is "it counts as one that was skipped" "$(script origin/memcg-soft.sh | nest | counts)" "1 0 0 1 0 0"
is "a script that was cut off has not passed" "$(nest <"$suite" | grep stall/slow.sh | tail -n1)" "not ok 5 stall/slow.sh"
nest <"$suite" | counts >"$scratch/all"
holds "the parser misses its results" test "$(cut -d' ' -f5 "$scratch/all")" -gt 0

# names REGEX: prints the checks whose name matches it.
names() {
	git -C "$TOP" grep -nE "^[[:space:]]*(check|check_not|check_eq|check_num|check_missing|skip_checks)[[:space:]]+\"[^\"]*$1" \
		-- ':(glob)tests/*/*.sh'
}
# The parser ends a name at a '#'. If this finds no names at all, it looks in the wrong place.
# shellcheck disable=SC2016 # text to find
named() {
	[ "$(names '' | wc -l)" -gt 500 ] && ! names '#' | grep -v '\${[^}]*#'
}
holds "no check has a # in its name" named

ktap_finished

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench-report.py on runs made up here: medians and quartiles, killed runs, failed ones,
# the disk's log between the marks, aims, and JSON that says it all.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

report=$TOP/scripts/bench-report.py
bench=$scratch/bench
results=$bench/results.json

# run NUMBER SIDE US KILLED SCANNED FREED: as scripts/bench.sh and the guest leave it.
run() {
	local dir
	dir=$bench/runs/made-up/$(printf %03d "$1")-$2
	mkdir -p "$dir/results" "$dir/nbd"
	printf '# begin bench/made-up.sh\nok 1 x\n# end bench/made-up.sh rc=0 seconds=1\n' >"$dir/ktap.log"
	printf '5\n' >"$dir/seconds"
	printf 'squeeze.us %s\nsqueeze.longest.us 2000\nsqueeze.killed %s\n' "$3" "$4" >"$dir/results/loads"
	printf 'module none\n' >"$dir/results/facts"
	printf 'nr_written 10\npgscan_kswapd 0\npgscan_direct 5\npgsteal_kswapd 0\npgsteal_direct 5\noom_kill 0\n' \
		>"$dir/results/vmstat.before"
	printf 'nr_written 30\npgscan_kswapd 0\npgscan_direct %s\npgsteal_kswapd 0\npgsteal_direct %s\noom_kill %s\n' \
		$(($5 + 5)) $(($6 + 5)) "$4" >"$dir/results/vmstat.after"
	cat >"$dir/nbd/disk-log.log" <<-'LOG'
	2026-01-01 00:00:00.000000 connection=1 Connect export="" tls=0 size=0x100000 write=1
	2026-01-01 00:00:00.000001 connection=1 Write id=1 offset=0x0 count=0x1000 ...
	2026-01-01 00:00:00.000002 connection=2 Read id=1 offset=0xff000 count=0x1000 ...
	2026-01-01 00:00:00.000003 connection=1 Write id=2 offset=0x10000 count=0x1000 ...
	2026-01-01 00:00:00.000004 connection=1 ...Write id=2 return=0
	2026-01-01 00:00:00.000005 connection=1 Write id=3 offset=0x11000 count=0x3000 ...
	2026-01-01 00:00:00.000006 connection=1 Write id=4 offset=0x94000 count=0x1000 ...
	2026-01-01 00:00:00.000007 connection=2 Read id=2 offset=0xfe000 count=0x1000 ...
	2026-01-01 00:00:00.000008 connection=1 Write id=5 offset=0x0 count=0x1000 ...
	LOG
}

# is NAME EXPRESSION EXPECTED: what Python makes of it, with `j` the results, `r` a
# metric's row.
is() {
	local got
	got=$(python3 -c '
import json, sys
j = json.load(open(sys.argv[1]))
r = {row["metric"]: row for row in j["rows"]}
print(eval(sys.argv[2]))' "$results" "$2" 2>&1)
	if [ "$got" = "$3" ]; then
		ktap_test_pass "$1"
	else
		ktap_print_msg "got '$got', expected '$3'"
		ktap_test_fail "$1"
	fi
}

says() { # NAME REGEX FILE
	if grep -qE -- "$2" "$3"; then
		ktap_test_pass "$1"
	else
		sed 's/^/# | /' "$3"
		ktap_test_fail "$1"
	fi
}

mkdir -p "$scratch/scenarios"
cat >"$scratch/scenarios/made-up.sh" <<'HEAD'
#!/bin/sh
# title: made up
# metrics: oom_kills squeeze_s scanned_per_freed unneeded_pages write_requests request_kib seeks seek_mib
# aim: oom_kills <= 0; squeeze_s < 1; squeeze_s ~ stock
HEAD

run 1 stock 4000000 0 700 7
run 2 stock 9000000 1 4000 0
run 3 stock 2000000 0 100 10
run 4 stock 3000000 0 100 10
for us in 500000 700000 900000 1100000; do run $((us / 200000)) reclaimwb $us 0 20 10; done
rm -r "$bench/runs/made-up/003-reclaimwb/results"
mkdir -p "$bench/runs/made-up/009-reclaimwb"
echo "the guest said nothing for 120 s" >"$bench/runs/made-up/009-reclaimwb/reason"
printf 'kernel 7.3.4\ncores 2\n' >"$bench/facts"

ktap_print_header
ktap_set_plan 18

rc=0
"$report" all "$bench" "$scratch/scenarios" >"$scratch/table" 2>"$scratch/errors" || rc=$?
if [ $rc = 1 ]; then ktap_test_pass "a failed run makes the exit code 1"; else ktap_test_fail "a failed run makes the exit code 1"; fi
is "a killed run never came to its end" 'r["squeeze_s"]["values"]["stock"]' "[4.0, 'inf', 2.0, 3.0]"
is "the median of an even number" 'r["squeeze_s"]["stock"]' 3.5
is "quartiles" 'r["squeeze_s"]["spread"]["stock"]["q1"]' 2.75
is "the worst is infinite" 'r["squeeze_s"]["spread"]["stock"]["max"]' inf
is "the ratio of the medians" 'round(r["squeeze_s"]["ratio"], 3)' 0.257
is "nothing freed: scanned in vain" 'r["scanned_per_freed"]["values"]["stock"]' "[100.0, 'inf', 10.0, 10.0]"
is "written beyond what was freed" 'r["unneeded_pages"]["values"]["stock"]' "[13.0, 20.0, 10.0, 10.0]"
is "writes between the marks only" 'r["write_requests"]["stock"]' 3.0
is "mean request" 'round(r["request_kib"]["stock"], 3)' 6.667
is "a seek is a write not next to the one before" 'r["seeks"]["stock"], r["seek_mib"]["stock"]' "(1.0, 0.5)"
is "runs that failed are counted" 'r["squeeze_s"]["runs"]["reclaimwb"], r["squeeze_s"]["failed"]["reclaimwb"]' "(3, 2)"
is "and say why" '[x["reason"] for x in j["runs"] if x["pair"] == 9]' "['the guest said nothing for 120 s']"
is "an aim is met by every run or not at all" '[(a["aim"], a["met"]) for a in j["aims"]]' \
	"[('oom_kills <= 0', False), ('squeeze_s < 1', False), ('squeeze_s ~ stock', False)]"
is "facts" 'j["facts"]["cores"]' 2.0
says "the table shows them" "FAILED: the guest said nothing" "$scratch/table"
if ! command -v gnuplot >/dev/null; then
	ktap_test_skip "plots: no gnuplot"
elif [ -s "$bench/squeeze_s.svg" ] && ! grep -q 'no plots' "$scratch/errors"; then
	ktap_test_pass "plots"
else
	sed 's/^/# | /' "$scratch/errors"
	ktap_test_fail "plots"
fi
refuses "no runs" "there is no run in" "$report" all "$scratch" "$scratch/scenarios"

ktap_finished

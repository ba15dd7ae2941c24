#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench-report.py reads runs that are made up here. It knows medians and quartiles, killed runs,
# failed runs, the disk's log between the marks, aims, and JSON that has all of it. For swap there
# is a third side, aims against another side, and no disk. Allocations of a higher order may run
# beside it.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

report=$TOP/scripts/measure/bench-report.py
bench=$scratch/bench
results=$bench/results.json

# run NUMBER SIDE US KILLED SCANNED FREED: makes what scripts/measure/bench.sh and the guest leave.
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

# swap_run NUMBER SIDE TOUCHES LONGEST_US [KILLED]: the same for a run that swaps, which has no
# disk.
name=swapped
swap_run() {
	local dir killed=${5:-0}
	dir=$bench/runs/$name/$(printf %03d "$1")-$2
	mkdir -p "$dir/results" "$dir/nbd"
	printf '# begin bench/%s.sh\nok 1 x\n# end bench/%s.sh rc=0 seconds=1\n' $name $name >"$dir/ktap.log"
	printf '5\n' >"$dir/seconds"
	printf 'module none\nconnections 2\nstalls_lost %s\n' "${lost:-0}" >"$dir/results/facts"
	printf '%s\n' 1000 "$4" 3000 2000 >"$dir/results/stalls"
	if [ "$killed" = 0 ]; then
		printf 'swap.fill_ms 1500\nswap.touches %s\nswap.touches_least 7\nswap.touch_longest_us 2000\n' "$3"
		printf 'swap.longest_us %s\nswap.slow_p50_us 500\nswap.slow_p99_us 1500\n' "$4"
		printf 'swap.fill_system_us 900000\nswap.fill_swapped 300\n'
	fi >"$dir/results/loads"
	printf 'swap.killed %s\n' "$killed" >>"$dir/results/loads"
	printf '%s\n' 'nr_written 10' 'pgscan_direct 5' 'pgsteal_direct 5' 'oom_kill 0' 'allocstall_normal 1' \
		'allocstall_movable 2' 'pswpin 50' 'pswpout 100' 'nrswpout 10' >"$dir/results/vmstat.before"
	printf '%s\n' 'nr_written 30' 'pgscan_direct 9' 'pgsteal_direct 9' "oom_kill $killed" 'allocstall_normal 4' \
		'allocstall_movable 4' 'pswpin 230' 'pswpout 420' 'nrswpout 20' >"$dir/results/vmstat.after"
	printf 'cpu  1 0 100 5\n' >"$dir/results/cpu.before"
	printf 'cpu  9 0 350 5\n' >"$dir/results/cpu.after"
	[ "$2" = reclaimwb ] || return 0
	printf '%s\n' 'state on' 'direct.taken.requests 0' 'direct.refused.late.requests 0' 'direct.refused.full.requests 0' \
		'direct.refused.devices.requests 0' 'direct.refused.headroom.requests 0' >"$dir/results/handoff.before"
	printf '%s\n' 'state on' 'direct.taken.requests 200' 'direct.refused.late.requests 3' 'direct.refused.full.requests 0' \
		'direct.refused.devices.requests 1' 'direct.refused.headroom.requests 9' >"$dir/results/handoff.after"
}

# high_run NUMBER SIDE GOT P99_US [KILLED]: the same with 200 tries of a higher order.
high_run() {
	local dir
	swap_run "$1" "$2" 1000 400000 "${5:-0}"
	dir=$bench/runs/$name/$(printf %03d "$1")-$2/results
	printf 'high_order 9\n' >>"$dir/facts"
	[ "${5:-0}" = 0 ] || return 0
	printf 'swap.high_tries 200\nswap.high_got %s\nswap.high_p50_us 250\n' "$3" >>"$dir/loads"
	printf 'swap.high_p99_us %s\nswap.high_longest_us 90000\n' "$4" >>"$dir/loads"
}

# is NAME EXPRESSION EXPECTED: compares the value of a Python expression, in which `j` has the
# results and `r` the rows by metric.
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
ktap_set_plan 48

rc=0
"$report" all "$bench" "$scratch/scenarios" >"$scratch/table" 2>"$scratch/errors" || rc=$?
if [ $rc = 1 ]; then ktap_test_pass "a failed run makes the exit code 1"; else ktap_test_fail "a failed run makes the exit code 1"; fi
is "a killed run never came to its end" 'r["squeeze_s"]["values"]["stock"]' "[4.0, 'inf', 2.0, 3.0]"
is "the median of an even number" 'r["squeeze_s"]["stock"]' 3.5
is "quartiles" 'r["squeeze_s"]["spread"]["stock"]["q1"]' 2.75
is "the worst is infinite" 'r["squeeze_s"]["spread"]["stock"]["max"]' inf
is "the ratio of the medians" 'round(r["squeeze_s"]["ratio"], 3)' 0.257
is "scanned for a freed page, if none was freed" 'r["scanned_per_freed"]["values"]["stock"]' "[100.0, 'inf', 10.0, 10.0]"
is "pages written beyond what was freed" 'r["unneeded_pages"]["values"]["stock"]' "[13.0, 20.0, 10.0, 10.0]"
is "only writes between the marks count" 'r["write_requests"]["stock"]' 3.0
is "the mean request" 'round(r["request_kib"]["stock"], 3)' 6.667
is "a write that does not follow the one before is a seek" 'r["seeks"]["stock"], r["seek_mib"]["stock"]' "(1.0, 0.5)"
is "runs that failed are counted" 'r["squeeze_s"]["runs"]["reclaimwb"], r["squeeze_s"]["failed"]["reclaimwb"]' "(3, 2)"
is "they say why" '[x["reason"] for x in j["runs"] if x["pair"] == 9]' "['the guest said nothing for 120 s']"
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
# --- swap: three sides, no disk
bench=$scratch/swap results=$bench/results.json
cat >"$scratch/scenarios/swapped.sh" <<'HEAD'
#!/bin/sh
# title: swapped
# metrics: oom_kills fill_s touches longest_ms stall_p50_ms stall_p99_ms stall_longest_ms pages_per_bio reclaim_cpu_s fill_cpu_us_per_page cpu_us_per_page stalls refused write_requests
# aim: longest_ms < 500; longest_ms <= 0.1*stock; longest_ms <= 0.1*best; touches >= 1.2*best; touches > 1.5*tuned; touches ~ stock
# sides: reclaimwb stock tuned
HEAD
swap_run 1 stock 1000 4000000
swap_run 2 stock 1200 5000000
swap_run 3 stock 1100 4500000
for n in 1 2 3; do swap_run $n tuned 1500 3000000; done
lost=7 swap_run 4 tuned 1500 3000000
swap_run 1 reclaimwb 1900 400000
swap_run 2 reclaimwb 1800 300000
swap_run 3 reclaimwb 2000 450000
: >"$bench/facts"

rc=0
"$report" all "$bench" "$scratch/scenarios" >"$scratch/table" 2>"$scratch/errors" || rc=$?
if [ $rc = 0 ]; then ktap_test_pass "three sides: exit code 0"; else ktap_test_fail "three sides: exit code 0"; fi
is "without a disk there are no numbers of one" 'r["write_requests"]["runs"]' "{'stock': 0, 'tuned': 0, 'reclaimwb': 0}"
is "each side's median" '[r["touches"][s] for s in ("stock", "tuned", "reclaimwb")]' "[1100.0, 1500.0, 1900.0]"
is "the ratio to stock" 'round(r["touches"]["ratio"], 3)' 1.727
is "the ratio to tuned" 'round(r["touches"]["ratio_tuned"], 3)' 1.267
is "pages in a bio" 'r["pages_per_bio"]["stock"]' 32.0
is "the kernel's CPU time" 'r["reclaim_cpu_s"]["stock"]' 2.5
is "the kernel's CPU time for a page, in or out" 'r["cpu_us_per_page"]["stock"]' 5000.0
is "the same until all was filled" 'r["fill_cpu_us_per_page"]["stock"]' 3000.0
is "the stalls are sorted" '[round(r[f"stall_{t}_ms"]["values"]["stock"][0], 2) for t in ("p50", "p99", "longest")]' "[2.5, 3880.09, 4000.0]"
is "a trace that lost events does not count" 'r["stall_p99_ms"]["runs"]["tuned"]' 3
is "allocations that had to reclaim" 'r["stalls"]["tuned"]' 5.0
is "only reclaimwb has refused requests, and only some reasons count" 'r["refused"]["reclaimwb"], r["refused"]["tuned"]' "(0.02, None)"
is "aims against another side, or the better one" '[(a["aim"], a["met_in"], a["met"]) for a in j["aims"]]' \
	"[('longest_ms < 500', 3, True), ('longest_ms <= 0.1*stock', 3, True), ('longest_ms <= 0.1*best', 1, False), \
('touches >= 1.2*best', 3, True), ('touches > 1.5*tuned', 0, False), ('touches ~ stock', 3, True)]"
is "their limits" '[a["limit"] for a in j["aims"][:4]]' "[500.0, 450.0, 300.0, 1800.0]"
says "the table has a column for each side" "stock +tuned +reclaimwb +ratio +to tuned" "$scratch/table"
says "and the aim's limit" "aim touches >= 1.2\*best \(1,800\): met \(3 of 3 runs\)" "$scratch/table"
if ! command -v gnuplot >/dev/null; then
	ktap_test_skip "three sides: plots: no gnuplot"
elif [ -s "$bench/touches.svg" ] && grep -q tuned "$bench/touches.svg" && ! grep -q 'no plots' "$scratch/errors"; then
	ktap_test_pass "three sides: plots"
else
	sed 's/^/# | /' "$scratch/errors"
	ktap_test_fail "three sides: plots"
fi
"$report" run "$bench/runs/swapped/001-reclaimwb" >"$scratch/line"
says "one run's line" "fill_s 1.5, touches 1,900, longest_ms 400, .*pages_per_bio 32, .*refused 0.02" "$scratch/line"

is "a run without a higher order has no numbers of one" '[x for x in j["runs"] if "high_success" in x["metrics"]]' "[]"

# One side was killed, and one never ran.
rm -r "$bench"/runs/swapped/*-tuned
for n in 1 2 3; do swap_run $n stock 0 0 1; done
swap_run 3 reclaimwb 0 0 1
"$report" all "$bench" "$scratch/scenarios" >"$scratch/table" 2>"$scratch/errors"
is "a killed run has no end, and has done nothing" '[r[m]["stock"] for m in ("fill_s", "longest_ms", "touches")]' "['inf', 'inf', 0.0]"
is "a run without an end is not as good as another" '[(a["met_in"], a["limit"]) for a in j["aims"] if a["aim"] == "longest_ms <= 0.1*stock"]' \
	"[(2, 'inf')]"
is "an aim against a side without runs is not met" '[(a["met_in"], a["limit"]) for a in j["aims"] if "tuned" in a["aim"]]' "[(0, None)]"

# --- swap, with allocations of a higher order beside it
bench=$scratch/high results=$bench/results.json name=higher
cat >"$scratch/scenarios/higher.sh" <<'HEAD'
#!/bin/sh
# title: of a higher order
# metrics: oom_kills touches longest_ms high_success high_p50_ms high_p99_ms high_longest_ms
# aim: high_success ~ stock; high_p99_ms ~ stock; oom_kills <= 0
# sides: stock tuned reclaimwb
HEAD
high_run 1 stock 150 30000
high_run 2 stock 190 10000
high_run 3 stock 170 20000
for n in 1 2 3; do high_run $n tuned 200 8000; done
high_run 1 reclaimwb 160 31000
high_run 2 reclaimwb 140 40000
high_run 3 reclaimwb 180 25000
"$report" all "$bench" "$scratch/scenarios" >"$scratch/table" 2>"$scratch/errors"
is "share that got the order, per cent" '[r["high_success"][s] for s in ("stock", "tuned", "reclaimwb")]' "[85.0, 100.0, 80.0]"
is "their times" '[r[f"high_{t}_ms"]["reclaimwb"] for t in ("p50", "p99", "longest")]' "[0.25, 31.0, 90.0]"
is "it is as good as stock in number, but not in time" '[(a["aim"], a["met"]) for a in j["aims"]]' \
	"[('high_success ~ stock', True), ('high_p99_ms ~ stock', False), ('oom_kills <= 0', True)]"
says "the table says what they are" "high-order allocations that got that order, % +85 " "$scratch/table"
"$report" run "$bench/runs/higher/001-tuned" >"$scratch/line"
says "and one run's line" "high_success 100, high_p99_ms 8, " "$scratch/line"

for n in 1 2 3; do high_run $n reclaimwb 0 0 1; done
"$report" all "$bench" "$scratch/scenarios" >"$scratch/table" 2>"$scratch/errors"
is "if all are killed, none ever got the order" '[r[m]["reclaimwb"] for m in ("high_success", "high_p50_ms", "high_p99_ms", "high_longest_ms")]' \
	"[0.0, 'inf', 'inf', 'inf']"
is "that is not as good as stock" '[a["met"] for a in j["aims"]]' "[False, False, False]"

refuses "no runs" "there is no run in" "$report" all "$scratch" "$scratch/scenarios"

ktap_finished

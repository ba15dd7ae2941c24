#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cost.sh [SIDE...]: what watching costs, in instructions for a page that goes through
# pageout(): under -icount the guest's clock counts them. Each side of tests/cost/pageout.sh
# has a guest of its own, with one CPU, so that nobody is interrupted to flush his TLB; the
# table compares with the side "none", which is always run.
#
#   LOADS='zeros swap'    of zeros, swap, nbd, alloc, switch, net
#   RUNS=2         of each side; they should agree to a tenth of a per cent
#   VARIANT=base   the kernel
#   KDIR=dir       a kernel you built
#
# Below the table stands which handlers that is, of the side "default": how often each is called
# for a page, and its instructions, as the module itself samples them. What is left is what the
# kernel needs to get there.
#
# out/cost/ then holds the tables, LOAD.txt, and each guest's files. Swap over NBD waits for the
# server, which is no part of the guest: there the time in which the guest is idle does not count.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

LOADS=${LOADS:-zeros swap} RUNS=${RUNS:-2} VARIANT=${VARIANT:-base}
out=$OUT/cost
SIDES=(loaded writes writes+stalls writes+shrinkers default default+tlb default+metadata
	default+takers default-waits default-stalls default-shrinkers bpf:mm_vmscan_write_folio
	ftrace:writes ftrace:stalls ftrace:shrinkers ftrace:tlb ftrace:metadata
	ftrace:takers ftrace-stack stack-tracer)

# median of the lines `key value` on stdin
median() { awk '{ print $2 }' | sort -n | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'; }

run() { # LOAD SIDE NUMBER
	local dir=$out/$1-$2-$3 rc=0 sleep=off
	local -a servers=()
	# A clock that runs ahead of the server would make TCP send everything again.
	[ "$1" != nbd ] || servers=(--nbd fast) sleep=on
	mkdir -p "$dir"
	"$TOP/qemu/vm.sh" --quiet --variant "$VARIANT" --kdir "$kdir" --out "$dir" --smp 1 --mem 256M \
		--timeout 300 "--icount=shift=0,sleep=$sleep" "${servers[@]}" --run cost/pageout.sh \
		--append "rwb.load=$1 rwb.side=$2 rwb.nosync=1" 2>"$dir/err" || rc=$?
	[ $rc = 0 ] || die "$1, $2: no result (exit $rc): see $dir"
}

table() { # LOAD
	local side n none this runs more=
	local -a results
	printf '%-26s %18s %12s %9s  %s\n' "$1" 'instructions/page' more 'per cent' runs
	for side in none "${SIDES[@]}"; do
		results=()
		for ((n = 1; n <= RUNS; n++)); do
			run "$1" "$side" "$n"
			results+=("$out/$1-$side-$n/results/rounds")
		done
		this=$(cat "${results[@]}" | median)
		runs=$(for n in "${results[@]}"; do median <"$n"; done | xargs)
		[ "$side" != none ] || none=$this
		awk -v s="$side" -v t="$this" -v n="$none" -v r="$runs" 'BEGIN {
			printf "%-26s %18.1f %12.1f %9.2f  %s\n", s, t, t - n, (t - n) * 100 / n, r }' |
			tee -a "$out/$1.txt"
		[ "$side" != default ] || more=$(awk -v t="$this" -v n="$none" 'BEGIN { print t - n }')
	done
	ledger "$1" "$more"
}

# ledger LOAD MORE: which handlers that is, of the first run of the side "default"
ledger() {
	local dir=$out/$1-default-1/results
	[ -s "$dir/after" ] || return 0
	awk -v pages="$(<"$dir/pages")" -v more="$2" '
		FNR == 1 { file++ }
		file == 1 { before[$1] = $2; next }
		{ n[$1] = $2 - before[$1]; value[$1] = $2 }
		function row(name, times, mean) {
			if (times < pages / 1000)
				return
			printf "%-38s %10.3f %12d %12.1f\n", name, times / pages, mean, times * mean / pages | "sort -k4,4nr"
			sum += times * mean / pages
		}
		END {
			printf "\n%-38s %10s %12s %12s\n", "handler", "a page", "instructions", "a page"
			fflush()
			for (key in n)
				if (key ~ /^events\./) {
					name = substr(key, 8)
					row(name, n[key] - n["counted." name], value["mean_cycles." name])
				} else if (key ~ /^counted\./) {
					name = substr(key, 9)
					row(name " (like the last)", n[key], value["mean_cycles.counted." name])
				}
			close("sort -k4,4nr")
			if (more != "")
				printf "%-38s %10s %12s %12.1f\n", "to get there", "", "", more - sum
		}' "$dir/before" "$dir/after" | tee -a "$out/$1.txt"
}

main() {
	local load
	[[ $RUNS =~ ^[1-9][0-9]*$ ]] || die "RUNS=$RUNS: how many runs of each side, 1 or more"
	for load in $LOADS; do
		case $load in
		zeros | swap | nbd | alloc | switch | net) ;;
		*) die "LOADS=$LOADS: it can be some of 'zeros swap nbd alloc switch net'" ;;
		esac
	done
	[ $# = 0 ] || SIDES=("$@")
	"$TOP/scripts/lib/typed.sh" kernel "$VARIANT"
	rm -rf "$out"
	mkdir -p "$out"
	"$TOP/scripts/build/deps.sh" kernel vm
	kdir=$("$TOP/scripts/build/kernel.sh" --variant "$VARIANT")
	"$TOP/scripts/build/module.sh" --variant "$VARIANT" >/dev/null
	make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2
	for load in $LOADS; do table "$load"; done
}

main "$@"; exit

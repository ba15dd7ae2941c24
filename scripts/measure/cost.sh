#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cost.sh [SIDE...]: what watching costs, in instructions for a page that goes through
# pageout(): under -icount the guest's clock counts them. Each side of tests/cost/pageout.sh
# has a guest of its own, with one CPU, so that nobody is interrupted to flush his TLB; the
# table compares with the side "none", which is always run.
#
#   LOADS='zeros swap'    of zeros, swap, alloc
#   RUNS=2         of each side; they should agree to a tenth of a per cent
#   VARIANT=base   the kernel
#   KDIR=dir       a kernel you built
#
# out/cost/ then holds the tables, LOAD.txt, and each guest's files.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

LOADS=${LOADS:-zeros swap} RUNS=${RUNS:-2} VARIANT=${VARIANT:-base}
out=$OUT/cost
SIDES=(loaded writes writes+stalls writes+shrinkers default default+tlb default+metadata
	default+takers ftrace:writes ftrace:stalls ftrace:shrinkers ftrace:tlb ftrace:metadata
	ftrace:takers ftrace-stack stack-tracer)

# median of the lines `key value` on stdin
median() { awk '{ print $2 }' | sort -n | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'; }

run() { # LOAD SIDE NUMBER
	local dir=$out/$1-$2-$3 rc=0
	mkdir -p "$dir"
	"$TOP/qemu/vm.sh" --quiet --variant "$VARIANT" --kdir "$kdir" --out "$dir" --smp 1 --mem 256M \
		--timeout 300 --icount=shift=0,sleep=off --run cost/pageout.sh \
		--append "rwb.load=$1 rwb.side=$2 rwb.nosync=1" 2>"$dir/err" || rc=$?
	[ $rc = 0 ] || die "$1, $2: no result (exit $rc): see $dir"
}

table() { # LOAD
	local side n none this runs
	local -a results
	printf '%-20s %18s %12s %9s  %s\n' "$1" 'instructions/page' more 'per cent' runs
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
			printf "%-20s %18.1f %12.1f %9.2f  %s\n", s, t, t - n, (t - n) * 100 / n, r }' |
			tee -a "$out/$1.txt"
	done
}

main() {
	local load
	[[ $RUNS =~ ^[1-9][0-9]*$ ]] || die "RUNS=$RUNS: how many runs of each side, 1 or more"
	for load in $LOADS; do
		case $load in zeros | swap | alloc) ;; *) die "LOADS=$LOADS: it can be some of 'zeros swap alloc'" ;; esac
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

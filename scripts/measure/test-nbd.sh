#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test-nbd.sh [SCENARIO...]: swap over NBD while something goes wrong. Each scenario of tests/nbd/
# has a guest of its own on each side. Prints a table, which is kept in out/nbd/matrix.txt: what
# became of the load, whether its pages were right, its longest stall (one touch of a page), and
# how near a zone came to having no page left (sampled every 10 ms).
#
#   SIDES='stock observer helper'   stock: no module; observer: helper off; helper: as loaded
#   VARIANT=base                    the kernel: base, base-nbd, debug
#   KDIR=dir                        a kernel you built. Where our module does not build for it
#                                   there is only the side stock
#   RESUME=1                        do not run again what out/nbd already has a result of
# A SCENARIO is a file's name without .sh; NAME@VARIANT runs it on another kernel.
#
# The last column is the verdict: ok; known (stock does the same, and the reason is below the table);
# skipped; FAIL. The exit code is 1 if anything failed. It is also a failure if stock survives and
# another side does not.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/nbd-lib.sh"

ALL=(plain slow rate pause frozen killed restart-same restart-other restart-persist
	eio-write eio-read truncate close net-drop net-delay net-reorder net-dup flood drops reserves reserves-zero
	connections two-devices disconnect swapoff memcg self self-needy self-files sched-none sched-deadline)
declare -A became=()

# row NAME SIDE DIR
row() {
	local bad proven longest low zone free min data=-
	bad=$(of "$3" bad) proven=$(of "$3" proven) longest=$(of "$3" longest_us)
	read -r zone free min <<<"$(of "$3" low)"
	if [ -n "$bad" ] && [ "$bad" != 0 ]; then data="$bad WRONG"
	elif [ -n "$proven" ]; then data="$proven of $(of "$3" of)"; fi
	[ -z "$longest" ] || longest=$(awk -v us="$longest" 'BEGIN { printf "%.2f s", us / 1e6 }')
	low=-
	[ -z "$min" ] || low="$zone $free of $min"
	printf '%-18s %-9s %-10s %15s %14s  %-22s %s\n' "$1" "$2" "$outcome" "$data" \
		"${longest:--}" "$low" "$verdict"
}

main() {
	local name variant side dir failed=0
	local -a rows=("$@") notes=()
	if [ ${#rows[@]} = 0 ]; then
		rows=("${ALL[@]}")
		# On this kernel NBD is built in.
		[ "$VARIANT" != base ] || [ -n "${KDIR:-}" ] || rows+=(plain@base-nbd)
	fi
	for name in "${rows[@]}"; do
		[[ " ${ALL[*]} " = *" ${name%@*} "* ]] || die "no scenario '$name'; there are: ${ALL[*]}"
	done
	prepare_all
	{
		echo "swap over NBD under fire; Linux $release, ${KDIR:-$VARIANT}"
		printf '%-18s %-9s %-10s %15s %14s  %-22s %s\n' scenario side became 'pages proven' \
			'longest stall' 'fewest free, of min' verdict
	} | tee "$out/matrix.txt"
	for name in "${rows[@]}"; do
		variant=$VARIANT
		[ "${name%@*}" = "$name" ] || variant=${name#*@}
		prepare "$variant"
		for side in $SIDES; do
			dir=$out/${name/@/-on-}-$side
			if [ "$RESUME" != 1 ] || [ ! -s "$dir/rc" ]; then
				run "${name%@*}" "$variant" "$side" "$dir"
			fi
			judge "$dir"
			became[$name,$side]=$outcome
			if [ "$side" != stock ] && [ "${became[$name,stock]:-}" = survived ] &&
				[ "$outcome" != survived ] && [ "$verdict" != skipped ]; then
				verdict=FAIL why="stock survives it${why:+; $why}"
			fi
			[ "$verdict" != FAIL ] || failed=$((failed + 1))
			row "$name" "$side" "$dir" | tee -a "$out/matrix.txt"
			[ "$verdict" = ok ] || notes+=("$name, $side: $verdict: $why")
		done
	done
	{
		[ ${#notes[@]} = 0 ] || printf '%s\n' "${notes[@]}"
		echo "$((${#became[@]} - failed)) as they should be, known or skipped; $failed failed"
	} | tee -a "$out/matrix.txt"
	[ $failed = 0 ]
}

main "$@"; exit

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# oom-matrix.sh [CELL...]: does handoff cause OOM kills that stock reclaim would not have had? Each
# cell is run both ways, each time in a guest of its own. Prints a table of kills and times, and how
# many requests were handed off. The exit code is 1 if a cell has more kills with reclaimwb than
# without, unless nothing was handed off in it.
#
#   RUNS=1      runs of each side and cell
#   KDIR=dir    a kernel you built
# A cell is RAM:SWAP:LINK:TASKS:LOCKED:MEMCG:DEAD. RAM and SWAP are in MiB. LINK is a server of
# qemu/nbd-servers.conf, with its arguments after a comma. TASKS is their number, LOCKED the percentage
# of the memory that is locked, MEMCG the limit of the tasks' cgroup in per cent of what they want (0:
# no limit), and DEAD for how many seconds the server does not answer, some time after the start.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

RUNS=${RUNS:-1}
out=$OUT/oom-matrix
# Each value of a column meets each value of the others at least once.
# shellcheck disable=SC2054 # commas are nbdkit's
CELLS=(
	256:256:slow:2:0:0:0
	256:128:slow:16:0:0:0
	256:64:slow,rate=4M:1:0:0:0
	256:64:slow,rate=4M:16:50:0:0
	256:512:fast:4:0:50:8
	384:256:slow:2:0:0:8
	384:128:fast:16:50:0:0
	384:256:slow:4:0:50:0
	384:64:slow,rate=4M:4:0:0:8
	768:256:slow:16:50:0:0
	768:256:fast:1:0:0:8
	768:256:slow:4:50:50:0
)

dir_of() { echo "$out/${1//[:,=]/-}-$2-$3"; } # CELL SIDE NUMBER

run() { # CELL SIDE NUMBER
	local ram swap link tasks locked memcg dead dir rc=0 undertaker=
	IFS=: read -r ram swap link tasks locked memcg dead <<<"$1"
	dir=$(dir_of "$@")
	mkdir -p "$dir"
	[ "$dead" = 0 ] || { dies "$dir" "${link%%,*}" "$dead" & undertaker=$!; }
	"$TOP/qemu/vm.sh" --quiet --kdir "$kdir" --out "$dir" --mem "${ram}M" --timeout 600 \
		--nbd "${link/,/:}" --run oom/cell.sh \
		--append "rwb.side=$2 rwb.swap=$swap rwb.tasks=$tasks rwb.locked=$locked rwb.memcg=$memcg" \
		2>"$dir/err" || rc=$?
	[ $rc != 77 ] || die "no guest could be started: $(sed -n 's/^error: //p' "$dir/err" | tail -n1)"
	if [ -n "$undertaker" ] && ! wait "$undertaker"; then
		rm -f "$dir/results/cell"
		echo "cell $1 $2: it was over before the server could be dead for $dead s" >&2
	fi
	of "$dir" kills >/dev/null || echo "cell $1 $2: no result: see $dir" >&2
}

# dies DIR SERVER SECONDS: the server stops answering some seconds after the load began. The guest's
# network stays up: switching it on again takes memory, which there may not be, on stock as well.
dies() {
	local pid n
	for ((n = 0; n < 300; n++)); do
		! grep -qs '^# the load begins$' "$1/ktap.log" || break
		sleep 0.5
	done
	sleep 5
	pid=$(cat "$1/nbd/$2.pid" 2>/dev/null) && kill -STOP "$pid" || return 1
	sleep "$3"
	kill -CONT "$pid"
}

of() { awk -v k="$2" '$1 == k { print $2; n++ } END { exit !n }' "$1/results/cell" 2>/dev/null; }

# check_cells: is each of them one that can be run?
check_cells() {
	local cell number='[0-9]+' servers link
	servers=$("$TOP/qemu/nbd-server.sh" list | awk '{ print $1 }' | xargs)
	for cell in "${CELLS[@]}"; do
		[[ $cell =~ ^$number:$number:([^:]+):$number:$number:$number:$number$ ]] ||
			die "no cell '$cell': it is RAM:SWAP:LINK:TASKS:LOCKED:MEMCG:DEAD, as 256:256:slow:2:0:0:0"
		link=${BASH_REMATCH[1]%%,*}
		[[ " $servers " = *" $link "* ]] || die "no NBD server '$link' in the cell '$cell': there is $servers"
	done
}

main() {
	local cell side n stock ours kills handed taken worse=0 missing=0 seconds longest line
	[ $# = 0 ] || CELLS=("$@")
	check_cells
	"$TOP/scripts/lib/typed.sh" kernel base
	"$TOP/scripts/build/deps.sh" kernel vm
	kdir=$("$TOP/scripts/build/kernel.sh" --variant base)
	"$TOP/scripts/build/module.sh" --variant base >/dev/null
	make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2
	rm -rf "$out"
	printf '%-34s %22s %22s\n' 'RAM:swap:link:tasks:locked:memcg:dead' 'stock' 'reclaimwb'
	for cell in "${CELLS[@]}"; do
		line=$(printf '%-34s' "$cell")
		for ((n = 1; n <= RUNS; n++)); do
			# Both at once: what counts is which tasks are killed, not how long it takes.
			run "$cell" stock "$n" &
			stock=$!
			run "$cell" reclaimwb "$n" &
			ours=$!
			wait "$stock" || exit
			wait "$ours" || exit
		done
		local -A all=([stock]=0 [reclaimwb]=0)
		handed=0
		for side in stock reclaimwb; do
			seconds='' longest=''
			for ((n = 1; n <= RUNS; n++)); do
				dir=$(dir_of "$cell" "$side" "$n")
				kills=$(of "$dir" kills) || { missing=$((missing + 1)); kills=0 seconds='no result'; continue; }
				all[$side]=$((all[$side] + kills))
				seconds=$(of "$dir" seconds || true)
				longest=$(of "$dir" swap.longest_us || echo 0)
				[ "$side" = reclaimwb ] || continue
				# It may excuse a kill, so 0 and unknown are not the same.
				taken=$(of "$dir" handed || true)
				if [[ $taken =~ ^[0-9]+$ ]]; then
					handed=$((handed + taken))
				else
					missing=$((missing + 1))
				fi
			done
			line+=$(printf ' %2d kills %4s s %6d ms' "${all[$side]}" "$seconds" $((${longest:-0} / 1000)))
		done
		echo "$line  $handed handed off"
		# Where nothing was handed off, handoff is not to blame.
		[ "${all[reclaimwb]}" -le "${all[stock]}" ] || [ "$handed" = 0 ] || worse=$((worse + 1))
	done
	echo "cells with more kills than stock: $worse of ${#CELLS[@]}; runs without a result: $missing"
	[ $worse = 0 ] && [ $missing = 0 ]
}

main "$@"; exit

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nbd-map.sh [POINT...]: find out where swap over NBD crawls or hangs, and which side survives
# there. The points are a base point, others that differ from it in one value, and corners that
# join the bad values. Each point has a guest of its own on each side. Prints a table, which is
# kept in out/nbd/map.txt; out/nbd/map.tsv has all numbers of each guest.
#
#   SIDES='stock observer helper'   stock: no module; observer: helper off; helper: as loaded
#   REPEAT=1                        rounds of each point. In every second one the sides come in
#                                   reverse order. The table shows the worst of each number
#   VARIANT=base, KDIR=dir          the kernel, as for test-nbd.sh
#   RESUME=1                        do not run again what out/nbd/map already has a result of
# A POINT is a name of the list below, or one of your own: link=5,hog=0. Its keys, and the
# base point's values:
#   mem=256M        RAM
#   min_free=       vm.min_free_kbytes; nothing: the kernel's own
#   set=80          MiB in use beyond the 32 that are left to the load
#   link=0          Mbit/s in each direction; 0: as fast as the machine carries it
#   delay=0         ms more for a round trip
#   tasks=2         that share the memory in use
#   connections=1
#   hog=            free pages a zone that a reserve hog leaves, three times for 4 s; nothing:
#                   no hog
#   again=0         how often it then takes what reclaim has freed meanwhile, too, every 0.2 s,
#                   until it has 16 MiB
#
# What becomes of a point, on a side:
#   survives        every page was proven, in time, no touch of a page took more than 10 s,
#                   and the link, where limited, was used by 25 % at least
#   crawls          every page was proven, but not so
#   late            it did not end in time (150 s and four times what the link takes for it
#                   all, 25 minutes at most), though pages still moved
#   hang            it did not end, and no page moved for a minute; or the guest was silent
#   oom             a task was killed for memory
#   wrong sigbus failed panic    a page was not what had been written; a task was told that a
#                   page cannot be read; anything else; the kernel gave up
#   skipped         this guest cannot do it; the reason is below the table
# The longest time is that of one touch of a page; if the load did not end, it is the time since a
# page last moved. Progress is pages swapped out and in, per second of the load's time. The percentage
# is of what the link carries in one direction: 200 would mean that both are busy all the time.
#
# The exit code is 1 if any page was wrong, or if observer or helper neither survive nor crawl
# where stock does.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/nbd-lib.sh"

REPEAT=${REPEAT:-1}
LONGEST_S=10 LEAST_PERCENT=25 STILL_S=60
ALL=(
	'base'
	'ram-192 mem=192M'
	'ram-512 mem=512M'
	'min-256 min_free=256'
	'min-1024 min_free=1024'
	'min-8192 min_free=8192'
	'set-40 set=40'
	'set-160 set=160'
	'link-100 link=100'
	'link-20 link=20'
	'link-5 link=5'
	'delay-10 delay=10'
	'delay-100 delay=100'
	'tasks-1 tasks=1'
	'tasks-8 tasks=8'
	'connections-4 connections=4'
	'hog-64 hog=64'
	'hog-0 hog=0'
	'hog-again hog=0 again=10'
	'thin-low link=20 min_free=256'
	'thin-many link=20 tasks=8'
	'thin-long link=20 delay=100'
	'hog-thin hog=0 link=20'
	'hog-low hog=0 min_free=256'
	'hog-many hog=0 again=10 tasks=8 connections=4'
	'hog-worst hog=0 again=10 min_free=256 link=20 tasks=8'
	'worst mem=192M min_free=256 set=160 link=20 delay=10 tasks=8 hog=0'
)
# From good to bad. The worst of several rounds counts.
STATES=(skipped survives crawls late failed oom sigbus hang panic 'no result' wrong)
declare -A settings=() state=() longest=() progress=() percent=()

# settings_of NAME: the list's, or what NAME says itself.
settings_of() {
	local point
	case $1 in *=*) echo "${1//,/ }"; return ;; esac
	for point in "${ALL[@]}"; do
		[ "${point%% *}" != "$1" ] || { echo "${point#"$1"}"; return; }
	done
	die "no point '$1'; there are: ${ALL[*]%% *}, or one of your own: link=5,hog=0"
}

# parse NAME: sets `point`, all keys of it.
parse() {
	local word
	local -a words
	point=([mem]=256M [min_free]='' [set]=80 [link]=0 [delay]=0 [tasks]=2 [connections]=1 [hog]='' [again]=0)
	read -ra words <<<"${settings[$1]}"
	for word in "${words[@]}"; do
		[ -n "${point[${word%%=*}]+known}" ] || die "point $1: no key '${word%%=*}'; there are: ${!point[*]}"
		case ${word%%=*},${word#*=} in
		mem,*[MG]) word=${word%[MG]} ;;
		mem,*) die "point $1: '$word': a size like 256M" ;;
		esac
		[[ ${word#*=} =~ ^(0|[1-9][0-9]*)$ ]] || die "point $1: '$word' has no number"
		case $word in set=0 | tasks=0 | connections=0) die "point $1: '$word': 1 at least" ;; esac
	done
	for word in "${words[@]}"; do point[${word%%=*}]=${word#*=}; done
}

run_point() { # NAME SIDE DIR
	local key append='' server=fast what="${settings[$1]} on $VARIANT ${KDIR:-}"
	local -A point
	parse "$1"
	if [ "$RESUME" = 1 ] && [ -s "$3/rc" ] && [ "$(cat "$3/point" 2>/dev/null)" = "$what" ]; then return; fi
	if [[ $VARIANT != base* && ${point[mem]} != 256M ]]; then
		rm -rf "$3"
		mkdir -p "$3"
		echo '1..0 # SKIP a kernel with checkers has the RAM that it needs' >"$3/ktap.log"
		return
	fi
	for key in set min_free link delay tasks connections hog again; do
		[ -z "${point[$key]}" ] || append+=" rwb.$key=${point[$key]}"
	done
	[ "${point[link]}" = 0 ] || server=slow:rate=${point[link]}M
	local -a args=(--nbd "$server" --append "$append")
	[[ $VARIANT != base* ]] || args+=(--mem "${point[mem]}")
	run map "$VARIANT" "$2" "$3" "${args[@]}"
	echo "$what" >"$3/point"
}

rank() {
	local n
	for n in "${!STATES[@]}"; do
		[ "${STATES[n]}" != "$1" ] || echo "$n"
	done
}

# larger|smaller A B: either may be nothing.
larger() { awk -v a="$1" -v b="$2" 'BEGIN { print (b == "" || (a != "" && a + 0 > b + 0)) ? a : b }'; }
smaller() { awk -v a="$1" -v b="$2" 'BEGIN { print (b == "" || (a != "" && a + 0 < b + 0)) ? a : b }'; }

# take NAME SIDE ROUND DIR: what one guest says, into the point's cell and the file of all.
take() {
	local cell="$1,$2" dir=$4 now seconds='' rate='' share='' bad long ms moved stood
	local -A point
	parse "$1"
	judge "$dir"
	bad=$(of "$dir" bad) ms=$(of "$dir" ms) moved=$(of "$dir" moved) stood=$(of "$dir" stood)
	long=$(of "$dir" longest_us)
	[ -z "$long" ] || long=$(awk -v us="$long" 'BEGIN { printf "%.2f", us / 1e6 }')
	if [ "${ms:-0}" != 0 ]; then
		read -r seconds rate share < <(awk -v ms="$ms" -v moved="$moved" -v link="${point[link]}" 'BEGIN {
			rate = moved * 1000 / ms
			printf "%.1f %d %s\n", ms / 1000, rate, link ? int(rate * 4096 * 8 * 100 / (link * 1e6)) : "" }')
	fi
	now=$outcome
	case $outcome in
	-) now=skipped ;;
	survived)
		now=survives
		[ -z "$(awk -v long="$long" -v most=$LONGEST_S -v share="$share" -v least=$LEAST_PERCENT \
			'BEGIN { if (long > most || share != "" && share < least) print 1 }')" ] || now=crawls ;;
	hang)
		# The load did not end, so it did not say it.
		long=${long:-$stood}
		[ -z "$stood" ] || [ "$stood" -ge $STILL_S ] || now=late ;;
	esac
	[ "${bad:-0}" = 0 ] || now=wrong
	[ "$verdict" = ok ] || notes+=("$1, $2: $now: $why")
	printf '%s\t' "$1" "${settings[$1]# }" "$2" "$3" "$now" "$long" "$rate" "$share" "$seconds" \
		"$(of "$dir" proven)" "$(of "$dir" of)" "$(of "$dir" low)" "$(of "$dir" kills)" |
		sed 's/\t$/\n/' >>"$out/map.tsv"
	say "$1, $2: $now${seconds:+ after $seconds s}"
	[ -n "${state[$cell]:-}" ] && [ "$(rank "$now")" -lt "$(rank "${state[$cell]}")" ] || state[$cell]=$now
	longest[$cell]=$(larger "${longest[$cell]:-}" "$long")
	progress[$cell]=$(smaller "${progress[$cell]:-}" "$rate")
	percent[$cell]=$(smaller "${percent[$cell]:-}" "$share")
}

# row NAME
row() {
	local side cell
	printf '%-14s' "$1"
	for side in $SIDES; do
		cell=$1,$side
		printf '  %-9s %8s %7s %5s' "${state[$cell]}" "${longest[$cell]:+${longest[$cell]} s}" \
			"${progress[$cell]:+${progress[$cell]}/s}" "${percent[$cell]:+${percent[$cell]} %}"
	done
	printf '  %s\n' "${settings[$1]# }"
}

# summary: how many points each side lost and kept, and which are of the region.
summary() {
	local side name now line
	local -A count
	for side in $SIDES; do
		count=() line=''
		for name in "${names[@]}"; do
			now=${state[$name,$side]}
			count[$now]=$((${count[$now]:-0} + 1))
		done
		for now in "${STATES[@]}"; do
			[ -z "${count[$now]:-}" ] || line+=", ${count[$now]} $now"
		done
		echo "$side, of ${#names[@]} points: ${line#, }"
		for now in "${STATES[@]:2}"; do
			line=''
			for name in "${names[@]}"; do
				[ "${state[$name,$side]}" != "$now" ] || line+=" $name"
			done
			[ -z "$line" ] || echo "  $now:$line"
		done
	done
}

is_alive() { case $1 in survives | crawls) ;; *) return 1 ;; esac; }

# verdicts: sets `failed` and adds to `notes`.
verdicts() {
	local name side
	for name in "${names[@]}"; do
		for side in $SIDES; do
			if [ "${state[$name,$side]}" = wrong ]; then
				failed=$((failed + 1))
				notes+=("$name, $side: FAIL: a page was not what had been written")
			elif [ "$side" != stock ] && is_alive "${state[$name,stock]:-}" &&
				[ "${state[$name,$side]}" != skipped ] && ! is_alive "${state[$name,$side]}"; then
				failed=$((failed + 1))
				notes+=("$name, $side: FAIL: ${state[$name,$side]}, where stock ${state[$name,stock]}")
			fi
		done
	done
}

# sides_of ROUND: the side that comes first finds the host in another state than the others.
sides_of() {
	# shellcheck disable=SC2086 # words
	if [ $(($1 % 2)) = 1 ]; then printf '%s\n' $SIDES; else printf '%s\n' $SIDES | tac; fi
}

main() {
	local name side round dir failed=0
	local -a names=("$@") notes=()
	local -A point
	[[ $REPEAT =~ ^[1-9][0-9]*$ ]] || die "REPEAT=$REPEAT: a number of rounds, 1 at least"
	[ ${#names[@]} != 0 ] || names=("${ALL[@]%% *}")
	for name in "${names[@]}"; do
		settings[$name]=$(settings_of "$name") || exit 1
		parse "$name"
	done
	prepare_all
	printf '%s\t' point settings side round became longest_s pages_per_s link_percent seconds \
		proven of fewest_free_of_min oom_kills | sed 's/\t$/\n/' >"$out/map.tsv"
	{
		echo "swap over NBD, where it crawls or hangs; Linux $release, ${KDIR:-$VARIANT}"
		printf '%-14s' ''
		for side in $SIDES; do printf '  %-32s' "$side"; done
		printf '\n%-14s' point
		for side in $SIDES; do printf '  %-9s %8s %7s %5s' became longest pages link; done
		printf '  %s\n' 'other than base'
	} | tee "$out/map.txt"
	for name in "${names[@]}"; do
		for ((round = 1; round <= REPEAT; round++)); do
			for side in $(sides_of "$round"); do
				dir=$out/map/${name//[=,]/-}-$side-$round
				run_point "$name" "$side" "$dir"
				take "$name" "$side" "$round" "$dir"
			done
		done
		row "$name" | tee -a "$out/map.txt"
	done
	verdicts
	{
		summary
		[ ${#notes[@]} = 0 ] || printf '%s\n' "${notes[@]}"
		echo "$failed worse than stock, or with a wrong page"
	} | tee -a "$out/map.txt"
	[ $failed = 0 ]
}

main "$@"; exit

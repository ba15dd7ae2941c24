#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh [SCENARIO...]: compare stock and reclaimwb, scenario by scenario (tests/bench/*.sh).
# Scenarios for swap also have a side "tuned", which is stock with settings made by hand. Each
# run has a guest of its own, and all use one kernel image. The guest has a disk that takes 4 ms
# for a write, or it swaps to the NBD server that the scenario names (none: the swap device is in
# the guest's memory). The side that goes first changes from pair to pair.
#
#   PAIRS=7        runs of each side
#   COUNT=N        go on with reclaimwb alone until it has this many runs; those of the pairs count
#   STOCK=none|off what stock is: no module, or the module with write_around=N handoff=never
#   SIDES='A B'    some of stock, tuned and reclaimwb; a scenario leaves out a side that it lacks
#   VARIANT=base   the kernel; the variant bench has no counters on the paths that are timed
#   PARAMS='A=1'   further parameters of the module
#   KDIR=dir       a kernel you built
#
# Prints a table. out/bench/ then holds results.json, plots, and the files of each run in
# runs/SCENARIO/. The exit code is 1 if a run failed; the table has such runs, too.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

PAIRS=${PAIRS:-7} COUNT=${COUNT:-0} STOCK=${STOCK:-none} SIDES=${SIDES:-stock tuned reclaimwb}
VARIANT=${VARIANT:-base} PARAMS=${PARAMS:-}
bench=$OUT/bench
image=$bench/disk.img
OLD_MIB=300 SECOND_MIB=240
scenarios=("$@")
command="make bench PAIRS=$PAIRS COUNT=$COUNT STOCK=$STOCK VARIANT=$VARIANT"
# shellcheck disable=SC2016 # quotes for a shell that it is copied to
command+="${PARAMS:+ PARAMS='$PARAMS'} SIDES='$SIDES' SCENARIOS='$*'"

check_settings() {
	local s known
	local -a sides runnable=()
	[[ $PAIRS =~ ^[1-9][0-9]*$ ]] || die "PAIRS=$PAIRS: how many runs of each side, 1 or more"
	[[ $COUNT =~ ^[0-9]+$ ]] || die "COUNT=$COUNT: how many runs with reclaimwb"
	case $STOCK in none | off) ;; *) die "STOCK=$STOCK: it can be none or off" ;; esac
	read -ra sides <<<"$SIDES"
	for s in "${sides[@]}"; do
		case $s in stock | tuned | reclaimwb) ;; *) die "SIDES=$SIDES: it can be some of 'stock tuned reclaimwb'" ;; esac
	done
	[ -z "$(printf '%s\n' "${sides[@]}" | sort | uniq -d)" ] || die "SIDES=$SIDES: names one twice"
	known=$(cd "$TOP/tests/bench" && grep -l '^# metrics: ' -- *.sh | sed 's/\.sh$//')
	[ ${#scenarios[@]} -gt 0 ] || mapfile -t scenarios <<<"$known"
	for s in "${scenarios[@]}"; do
		grep -qxF -- "$s" <<<"$known" || die "no scenario '$s'; there are: $(xargs <<<"$known")"
		[ -z "$(sides_of "$s" 1)" ] || runnable+=("$s")
	done
	[ ${#runnable[@]} -gt 0 ] || die "SIDES=$SIDES: no scenario here has such a side: ${scenarios[*]}"
	scenarios=("${runnable[@]}")
}

# The disk before each run is an ext4 filesystem with two large files. It is made once: the server
# keeps what a guest writes apart from it.
make_image() {
	local tree=$bench/tree made new
	made=$(PATH=$PATH:/usr/sbin:/sbin command -v mkfs.ext4) || die "mkfs.ext4 is missing: apt-get install e2fsprogs"
	new="$OLD_MIB $SECOND_MIB $("$made" -V 2>&1 | head -n1) $(sha256sum <"$OUT/tests/bin/benchload")"
	[ "$new" != "$(cat "$image.made" 2>/dev/null)" ] || [ ! -s "$image" ] || return 0
	say "making the disk"
	rm -rf "$tree" "$image"
	mkdir -p "$tree"
	"$OUT/tests/bin/benchload" fill "$tree/old" $OLD_MIB >/dev/null
	"$OUT/tests/bin/benchload" fill "$tree/second" $SECOND_MIB >/dev/null
	truncate -s 1G "$image"
	# The last MiB is left free: reads from there mark in the log what is measured.
	"$made" -q -F -E lazy_itable_init=0,lazy_journal_init=0 -d "$tree" "$image" 1023M ||
		die "mkfs.ext4 cannot fill $image: e2fsprogs 1.43 or newer can"
	rm -rf "$tree"
	echo "$new" >"$image.made"
}

need() { sed -n "s/^# $2: //p" "$TOP/tests/bench/$1.sh" | head -n1; }

# wants_disk SCENARIO...: does one of them?
wants_disk() {
	local s
	for s; do [ -n "$(need "$s" nbd)" ] || return 0; done
	return 1
}

# sides_of SCENARIO NUMBER: those of $SIDES that it has, in the order of that pair. No side may
# always be the one that finds the host warmed up, or worn out.
sides_of() {
	local has side
	local -a sides=()
	has=$(need "$1" sides)
	for side in $SIDES; do
		case " ${has:-stock reclaimwb} " in *" $side "*) sides+=("$side") ;; esac
	done
	[ ${#sides[@]} -gt 0 ] || return 0
	has=$((($2 - 1) % ${#sides[@]}))
	echo "${sides[*]:has} ${sides[*]:0:has}"
}

# run SCENARIO NUMBER SIDE: one guest; leaves its folder, with a verdict.
run() {
	local scenario=$1 side=$3 dir rc=0 key value at=$SECONDS wish=$3
	local -a args=()
	dir=$bench/runs/$scenario/$(printf '%03d' "$2")-$side
	mkdir -p "$dir"
	for key in mem smp numa timeout; do
		value=$(need "$scenario" $key)
		[ -z "$value" ] || args+=("--$key" "$value")
	done
	[ "$side" != stock ] || [ "$STOCK" = none ] || wish=$STOCK
	value=$(need "$scenario" connections)
	args+=(--append "rwb.nosync=1 rwb.side=$wish${value:+ rwb.connections=$value}")
	value=$(need "$scenario" nbd)
	case $value in
	none) ;;
	'') args+=(--disk "nbd:disk-log:file=$image" --disk nbd:disk-log) ;;
	*) args+=(--nbd "$value") ;;
	esac
	[ -z "$PARAMS" ] || args+=(--append "rwb.params=${PARAMS// /;}")
	cut -d' ' -f1 /proc/loadavg >"$dir/load"
	"$TOP/qemu/vm.sh" --quiet --variant "$VARIANT" --kdir "$kdir" --out "$dir" "${args[@]}" \
		--run "bench/$scenario.sh" 2>"$dir/err" || rc=$?
	[ $rc != 77 ] || die "no guest could be started: $(sed -n 's/^error: //p' "$dir/err" | tail -n1)"
	echo "$rc" >"$dir/rc"
	echo "$((SECONDS - at))" >"$dir/seconds"
	say "$("${report[@]}" run "$dir")"
}

facts() {
	local s value
	echo "command $command"
	echo "kernel $(cat "$kdir/include/config/kernel.release")"
	echo "variant $VARIANT"
	echo "accel $("$TOP/qemu/vm.sh" --kdir "$kdir" --accelerator)"
	echo "cores $(nproc)"
	echo "cpu $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n1)"
	echo "qemu $(qemu-system-x86_64 --version | sed -n 's/.*version //p' | head -n1)"
	echo "nbdkit $(nbdkit --version | awk '{ print $2 }')"
	! wants_disk "${scenarios[@]}" ||
		echo "disk $(sed -n 's/^disk-log[[:space:]]*//p' "$TOP/qemu/nbd-servers.conf" | grep -oE -- '--threads=[0-9]+|wdelay=[^ ]+' | xargs)"
	for s in "${scenarios[@]}"; do
		value=$(need "$s" nbd)
		case $value in '' | none) ;; *) echo "nbd.$s $value" ;; esac
	done
	echo "stock $([ "$STOCK" = none ] && echo 'no module' || echo 'module with write_around=N handoff=never')"
	echo "commit $(git -C "$TOP" describe --always --dirty 2>/dev/null || echo unknown)"
	echo "began $(date -u +%FT%TZ)"
}

main() {
	local n scenario side
	check_settings
	"$TOP/scripts/lib/typed.sh" kernel "$VARIANT"
	"$TOP/scripts/build/deps.sh" kernel vm bench
	kdir=$("$TOP/scripts/build/kernel.sh" --variant "$VARIANT")
	# A kernel of the user's own may be one for which there is no module.
	"$TOP/scripts/build/module.sh" --variant "$VARIANT" >/dev/null
	make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2
	mkdir -p "$bench"
	exec {lock}>"$bench/lock"
	flock -n "$lock" || die "another make bench runs in $bench: wait for it, or set OUT"
	! wants_disk "${scenarios[@]}" || make_image
	report=(python3 "$TOP/scripts/measure/bench-report.py")
	rm -rf "$bench"/{runs,results.json,*.svg,plot}
	mkdir -p "$bench/runs"
	facts >"$bench/facts"

	for ((n = 1; n <= PAIRS || n <= COUNT; n++)); do
		for scenario in "${scenarios[@]}"; do
			for side in $(sides_of "$scenario" "$n"); do
				[ "$n" -le "$PAIRS" ] || [ "$side" = reclaimwb ] || continue
				run "$scenario" "$n" "$side"
			done
		done
	done
	echo "seconds $SECONDS" >>"$bench/facts"
	"${report[@]}" all "$bench" "$TOP/tests/bench"
}

# The shell has read this file to its end before main runs, so that it can be edited meanwhile.
main; exit

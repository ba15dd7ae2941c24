#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run-tests.sh [--variant NAME]... [--with vng] [--out DIR] [TEST...]: run test
# scripts in guests, by vm.sh or by virtme-ng. Without TEST, all of tests/*.sh;
# without --variant, base.
#
# What a script needs it says in its first comment lines:
#   # nbd: fast slow:rate=8M     NBD servers (qemu/nbd-servers.conf)
#   # mem: 384M                  the guest's memory
#   # smp: 2   # numa: 2   # append: KERNEL ARGUMENTS
#   # disk: 1G 1G              disks; filesystem modules, mkfs and dmsetup with them
#   # nic: 8139                  another network card (vm.sh)
#   # cgroup: v1                 a guest where v2 has had no memory cgroup
#   # timeout: 300               seconds (default 180; more on kernels with checkers)
#   # variants: base debug       only on these kernels
#   # variant-skip: debug        not on these
# Scripts with equal needs share a guest, or are dealt out to as many as may run
# at once (JOBS, see scripts/lib.sh). When one takes its guest down, the others go
# on in a new one.
#
# A script that failed nothing but checks that chance decides (by_chance, in
# tests/lib/test.sh) is said to run `again`, and does, in a new guest, until it has had
# TRIES; only its last try counts.
#
# One line for each script, and at the end `N passed, N failed, N skipped`. A
# script without plan, end or result is a failure, and so is a guest without a
# verdict. DIR (out/test) then holds VARIANT/SCRIPT.ktap and VARIANT/vmN/, and VARIANT.ktap,
# which is all of them as one document.
# shellcheck disable=SC2317 # called by traps
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=../scripts/typed.sh
. "$TOP/scripts/typed.sh"

out='' with=vm
variants=() tests=()
while [ $# -gt 0 ]; do
	case $1 in
	--variant) variants+=("${2:?}"); shift 2 ;;
	--out) out=${2:?}; shift 2 ;;
	--with) with=${2:?}; shift 2 ;;
	-*) die "usage: run-tests.sh [--variant NAME]... [--with vng] [--out DIR] [TEST...]" ;;
	*) tests+=("$1"); shift ;;
	esac
done
[ ${#variants[@]} -gt 0 ] || variants=(base)
case $with in
vm) out=${out:-$OUT/test} ;;
vng) out=${out:-$OUT/vng} ;;
*) die "run-tests.sh: --with $with: it can be vm or vng" ;;
esac

# Names are relative to tests/, as in the guest. Who names some wants them in this
# order.
split=1
if [ ${#tests[@]} -eq 0 ]; then
	tests=("$TOP"/tests/*.sh)
	split=$JOBS
fi
for i in "${!tests[@]}"; do tests[i]=$(find_test "${tests[i]}"); done

TRIES=3

passed=0 failed=0 skipped=0
guest="" slot="" runs=()
at_exit() {
	[ -z "$guest" ] || kill "$guest" 2>/dev/null || true
	[ ${#runs[@]} = 0 ] || kill "${runs[@]}" 2>/dev/null || true
}
trap at_exit EXIT
trap 'exit 1' INT TERM HUP

wanted_on() { # SCRIPT VARIANT
	local only skip
	only=$(need "$1" variants)
	skip=$(need "$1" variant-skip)
	[ -z "$only" ] || grep -qw -- "$2" <<<"$only" || return 1
	! grep -qw -- "$2" <<<"$skip"
}

# The needs that two scripts must share to share a guest. NBD servers are not
# among them, an idle one disturbs nobody, unless one is wanted in two ways.
needs_key() {
	local key
	for key in mem smp numa disk append cgroup nic; do
		printf '%s=%s;' "$key" "$(need "$1" $key)"
	done
}

# report VARIANT SCRIPT KTAP_LOG [REASON]: count and say how it went, in one write,
# as other guests' reports come between.
report() {
	local variant=$1 script=$2 log=$3 reason=${4:-} p f s seconds why mark=ok ktap
	ktap=$out/$variant/${script//\//-}.ktap
	section "$script" "$log" >"$ktap"
	read -r p f s seconds why < <(awk -v script="$script" -f "$TOP/qemu/ktap-sum.awk" "$log")
	[ -z "$reason" ] || why=$reason
	if [ "$f" != 0 ] && [ "$why" = - ] && [ "$try" -lt $TRIES ] && only_by_chance "$ktap"; then
		mv "$ktap" "$ktap.$try"
		again+=("$script")
		mark=again
	else
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		[ "$f" = 0 ] || mark=FAIL
		[ "$f" != 0 ] || [ "$p" != 0 ] || mark=skip
	fi
	echo "$(
		printf '%-4s %-8s %-28s %3d passed' "$mark" "$variant" "$script" "$p"
		[ "$f" = 0 ] || printf ', %d failed' "$f"
		[ "$s" = 0 ] || printf ', %d skipped' "$s"
		printf ' (%d s)' "$seconds"
		[ "$why" = - ] || printf ': %s' "$why"
		echo
		[ "$f" = 0 ] || show_failures "$script" "$log"
		[ -z "$reason" ] || show_console "${log%/*}.err"
	)"
}

section() { awk -v script="$1" '$0 == "# begin " script { on = 1 } on { print } index($0, "# end " script " rc=") == 1 { on = 0 }' "$2"; }

# Is each failed result one that chance decides?
only_by_chance() { awk '/^not ok / && last !~ /^# by chance: / { certain = 1 } { last = $0 } END { exit certain }' "$1"; }

# A failed result with the comment lines before it.
show_failures() {
	section "$1" "$2" | awk '/^ok / || /^# begin / { n = 0; next }
		/^#/ { if (n < 8) line[n++] = $0; else { for (i = 1; i < 8; i++) line[i - 1] = line[i]; line[7] = $0 }; next }
		/^not ok / { for (i = 0; i < n; i++) print "       " line[i]; print "       " $0; n = 0 }'
}

show_console() { sed -e '/^reclaimwb: /d' -e 's/^/       /' "$1" | tail -n 43; }

# run_guest VARIANT DIR SCRIPT...: boot one, report on every script that began;
# leaves the others in `rest`.
run_guest() {
	local variant=$1 dir=$2 script server key value seconds=60 rc=0 reason=''
	shift 2
	local -a args=(--append "rwb.try=$try") open=("$@")
	local -A servers=()
	for script; do
		value=$(need "$script" timeout)
		seconds=$((seconds + ${value:-180}))
		for server in $(need "$script" nbd); do
			servers[$server]=1
		done
		args+=(--run "$script")
	done
	for server in "${!servers[@]}"; do args+=(--nbd "$server"); done
	for value in $(need "$1" disk); do args+=(--disk "$value"); done
	for key in mem smp numa append nic; do
		value=$(need "$1" $key)
		[ -z "$value" ] || args+=("--$key" "$value")
	done
	mkdir -p "$dir"
	"$TOP/qemu/$with.sh" --quiet --variant "$variant" --out "$dir" --timeout "$seconds" "${args[@]}" 2>"$dir.err" {slot}>&- &
	guest=$!
	while kill -0 $guest 2>/dev/null; do
		report_ended "$variant" "$dir"
		sleep 0.3
	done
	wait $guest || rc=$?
	guest=''
	[ $rc != 77 ] || die "no guest could be started: $(sed -n 's/^error: //p' "$dir.err" | tail -n1)"
	grep '^reclaimwb: ' "$dir.err" >&2 || true
	[ -e "$dir/ktap.log" ] || : >"$dir/ktap.log"
	report_ended "$variant" "$dir"

	# Now only those are open that were running or waiting when the guest went down.
	[ $rc != 2 ] || reason=$(cat "$dir/reason" 2>/dev/null || tail -n1 "$dir.err")
	rest=("${open[@]}")
	if [ $rc != 2 ]; then
		report "$variant" init "$dir/ktap.log"
	elif [ ${#open[@]} -gt 0 ] && grep -qxF "# begin ${open[0]}" "$dir/ktap.log"; then
		report "$variant" "${open[0]}" "$dir/ktap.log" "took the guest down: $reason"
		rest=("${open[@]:1}")
		return
	else
		failed=$((failed + 1))
		echo "FAIL $variant $(basename "$dir"): $reason
$(show_console "$dir.err")"
	fi
	# No script to blame: another guest would end the same way.
	for script in "${rest[@]}"; do report "$variant" "$script" "$dir/ktap.log"; done
	rest=()
}

# Scripts run in the order given: the first of `open` is the next to end.
report_ended() { # VARIANT DIR
	while [ ${#open[@]} -gt 0 ] && grep -qsF "# end ${open[0]} rc=" "$2/ktap.log"; do
		report "$1" "${open[0]}" "$2/ktap.log"
		open=("${open[@]:1}")
	done
}

# run_group VARIANT DIR SCRIPT...: until all have run; leaves the counts in
# DIR.counts. In a shell of its own, which holds `slot`.
run_group() {
	local variant=$1 dir=$2 guests=0 try=0
	local -a rest again=("${@:3}")
	trap at_exit EXIT
	trap 'exit 1' INT TERM HUP
	runs=()
	while [ ${#again[@]} -gt 0 ]; do
		try=$((try + 1))
		rest=("${again[@]}") again=()
		while [ ${#rest[@]} -gt 0 ]; do
			guests=$((guests + 1))
			run_guest "$variant" "$dir$([ $guests = 1 ] || echo "-$guests")" "${rest[@]}"
		done
	done
	echo "$passed $failed $skipped" >"$dir.counts"
}

# groups VARIANT: print the scripts that run there, a line for each guest, the
# longest first, with its weight: the seconds that its scripts may take.
groups() {
	local variant=$1 script key server i
	local -A server_of=()
	for script in "${tests[@]}"; do
		wanted_on "$script" "$variant" || continue
		key=$(needs_key "$script")
		for ((i = 0; ; i++)); do
			for server in $(need "$script" nbd); do
				[ "${server_of[$i;$key${server%%:*}]:-$server}" = "$server" ] || continue 2
			done
			break
		done
		for server in $(need "$script" nbd); do server_of[$i;$key${server%%:*}]=$server; done
		printf '%s\t%s\t%s\n' "$(need "$script" timeout)" "$i;$key" "$script"
	done | deal | sort -rn
}

# Each group's scripts go, the longest first, to the least laden of its guests; in
# a guest they keep their order.
deal() {
	awk -F'\t' -v jobs="$split" '
	{ weight[NR] = $1 ? $1 : 180; group[NR] = $2; script[NR] = $3 }
	END {
		for (n = 1; n <= NR; n++) {
			best = 0
			for (i = 1; i <= NR; i++)
				if (!(i in guest) && (!best || weight[i] > weight[best])) best = i
			least = 1
			for (j = 2; j <= jobs; j++)
				if (load[group[best], j] < load[group[best], least]) least = j
			guest[best] = group[best] SUBSEP least
			load[group[best], least] += weight[best]
		}
		for (i = 1; i <= NR; i++) line[guest[i]] = line[guest[i]] " " script[i]
		for (g in line) print load[g] line[g]
	}'
}

main() {
	local variant number slot scripts counts p f s
	local -a dirs=()
	for variant in "${variants[@]}"; do
		rm -rf "${out:?}/$variant"
		mkdir -p "$out/$variant"
	done
	for variant in "${variants[@]}"; do
		number=0
		while read -r _ scripts; do
			number=$((number + 1))
			dirs+=("$out/$variant/vm$number")
			take_slot slot
			# shellcheck disable=SC2086 # a list of names
			run_group "$variant" "${dirs[-1]}" $scripts &
			runs+=($!)
			exec {slot}>&-
		done < <(groups "$variant")
	done
	# Not each pid's status: a shell forgets it once the number is in use again. A group
	# without counts has said why.
	wait
	runs=()
	for counts in "${dirs[@]}"; do
		[ -s "$counts.counts" ] || exit 1
		read -r p f s <"$counts.counts"
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done
	# The whole run as one document, for other tools.
	for variant in "${variants[@]}"; do
		find "$out/$variant" -maxdepth 1 -name '*.ktap' -print0 | sort -z | xargs -0r cat |
			awk -f "$TOP/qemu/ktap-nest.awk" >"$out/$variant.ktap"
	done
	[ $((passed + failed + skipped)) -gt 0 ] || { echo "FAIL nothing was run"; failed=1; }
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ] && [ $passed -gt 0 ]
}

# Read to its end before it runs: an edit meanwhile must not bend it.
main; exit

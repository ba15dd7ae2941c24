#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh: `make test`. Sets up, then runs host tests, the checks, the harness's
# own tests, and the KTAP suite on the base kernel, on one with NBD built in, and
# on the debug kernels. The last line is `N passed, N failed, N skipped`; KTAP and
# logs are in out/test/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

out=$OUT/test
passed=0 failed=0 skipped=0
started=$SECONDS

# stage NAME COMMAND...: run it, its output to a log. Stages may run side by side:
# an emulated guest keeps one core busy.
stage() {
	local name=$1 log=$out/$1.log at=$SECONDS
	shift
	"$@" >"$log" 2>"$log.err" || true
	echo "== $name took $((SECONDS - at)) s" >"$log.took"
}

# tally NAME...: show what the stages said; each one's last line must be its
# totals.
tally() {
	local name log
	for name; do
		log=$out/$name.log
		echo "== $name"
		cat "$log"
		if [[ $(tail -n1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]] &&
			[ $((BASH_REMATCH[1] + BASH_REMATCH[2] + BASH_REMATCH[3])) -gt 0 ]; then
			passed=$((passed + BASH_REMATCH[1]))
			failed=$((failed + BASH_REMATCH[2]))
			skipped=$((skipped + BASH_REMATCH[3]))
		else
			echo "FAIL $name ended without its totals; the end of $log.err:"
			tail -n 20 "$log.err" | sed 's/^/       /'
			failed=$((failed + 1))
		fi
		cat "$log.took" 2>/dev/null || true
	done
}

host_stages() {
	stage host "$TOP/scripts/host-test.sh"
	stage check "$TOP/scripts/host-test.sh" check "$TOP/scripts/check.sh"
	stage harness "$TOP/scripts/host-test.sh" selftest "$TOP/qemu/selftest.sh"
	# NBD as a part of the kernel: its events are there from the start.
	stage base-nbd guests base-nbd load.sh headroom-layers.sh
}

# guests VARIANT [TEST...]: the tests, in guests of that kernel.
guests() {
	local variant=$1
	shift
	"$TOP/qemu/run-tests.sh" --variant "$variant" --out "$out/$variant" "$@"
}

# Everything that takes both cores comes first: tools, kernels, modules.
rm -rf "$out"
mkdir -p "$out"
"$TOP/scripts/deps.sh" kernel vm tool check test
"$TOP/scripts/tool.sh" >/dev/null
make -s -C "$TOP/tests" >&2
variants=(base base-nbd lock mem)
for variant in "${variants[@]}"; do
	"$TOP/scripts/kernel.sh" --variant "$variant" >/dev/null
done
printf '%s\n' "${variants[@]}" |
	xargs -n 1 -P "$J" "$TOP/scripts/module.sh" --variant >/dev/null
say "set up in $((SECONDS - started)) s"

say "running: base kernel; beside it host tests, checks, the harness, base-nbd"
host_stages &
stage base guests base
wait
tally host check harness base-nbd base
say "running: debug kernels lock and mem"
stage mem guests mem &
stage lock guests lock
wait
tally lock mem

echo "took $(((SECONDS - started) / 60)) min; KTAP and logs are in $out"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]

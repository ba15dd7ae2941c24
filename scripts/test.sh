#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh: `make test`. Sets up, then runs, in this order: host tests, the
# checks, the harness's own tests, and the KTAP suite on the base kernel, on one
# with NBD built in, and on the debug kernels. The last line is
# `N passed, N failed, N skipped`; KTAP and logs are in out/test/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

out=$OUT/test
mkdir -p "$out"
passed=0 failed=0 skipped=0
started=$SECONDS

# stage NAME COMMAND...: run it; its last line must be the totals.
stage() {
	local name=$1 log=$out/$1.log totals at=$SECONDS
	shift
	echo "== $name"
	"$@" 2>"$log.err" | tee "$log" || true
	totals=$(tail -n1 "$log")
	if [[ $totals =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + BASH_REMATCH[3]))
		[ $((BASH_REMATCH[1] + BASH_REMATCH[2] + BASH_REMATCH[3])) -gt 0 ] || failed=$((failed + 1))
	else
		echo "FAIL $name ended without its totals; the end of $log.err:"
		tail -n 20 "$log.err" | sed 's/^/       /'
		failed=$((failed + 1))
	fi
	echo "== $name took $((SECONDS - at)) s"
}

# guests VARIANT [TEST...]: build what the guests need, run the tests.
guests() {
	local variant=$1
	shift
	"$TOP/scripts/module.sh" --variant "$variant" >/dev/null || return
	"$TOP/qemu/run-tests.sh" --variant "$variant" "$@"
}

"$TOP/scripts/deps.sh" kernel vm tool check test
eval "$("$TOP/scripts/env.sh")"
"$TOP/scripts/tool.sh" >/dev/null
make -s -C "$TOP/tests" >&2

stage host "$TOP/scripts/host-test.sh"
stage base guests base
stage check "$TOP/scripts/host-test.sh" check "$TOP/scripts/check.sh"
stage harness "$TOP/scripts/host-test.sh" selftest "$TOP/qemu/selftest.sh"
# NBD as a part of the kernel: its events are there from the start.
stage base-nbd guests base-nbd load.sh headroom-layers.sh
for variant in lock mem; do
	stage "$variant" guests "$variant"
done

echo "took $(((SECONDS - started) / 60)) min; KTAP and logs are in $out"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh: `make test`. Sets up, then runs host tests, the checks, the harness's
# own tests, and the KTAP suite on the base kernel, on one with NBD built in, and
# on the debug kernel. The last line is `N passed, N failed, N skipped`; KTAP and
# logs are in out/test/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

out=$OUT/test
passed=0 failed=0 skipped=0
started=$SECONDS

# stage NAME COMMAND...: run it, its output to a log; what goes on shows as it comes.
stage() {
	local name=$1 log=$out/$1.log at=$SECONDS
	shift
	"$@" 2>"$log.err" | tee "$log" | grep --line-buffered -v '^[0-9]* passed' >&2 || true
	echo "$((SECONDS - at))" >"$log.took"
}

# tally NAME...: each stage's last line must be its totals.
tally() {
	local name log again
	for name; do
		log=$out/$name.log
		if [[ $(tail -n1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]] &&
			[ $((BASH_REMATCH[1] + BASH_REMATCH[2] + BASH_REMATCH[3])) -gt 0 ]; then
			passed=$((passed + BASH_REMATCH[1]))
			failed=$((failed + BASH_REMATCH[2]))
			skipped=$((skipped + BASH_REMATCH[3]))
			again=$(grep -c '^again' "$log") || true
			[ "$again" = 0 ] || again=", by chance $again scripts ran again"
			echo "$name: ${BASH_REMATCH[0]} ($(cat "$log.took") s${again#0})"
			# Once more, for those who read only the end.
			[ "${BASH_REMATCH[2]}" = 0 ] || awk '/^FAIL/ { on = 1 } /^(ok|skip|again) / { on = 0 } on && !/ passed, .* skipped$/' "$log"
		else
			failed=$((failed + 1))
			echo "$name: FAILED, it ended without its totals; the end of $log.err:"
			tail -n 20 "$log.err" | sed 's/^/       /'
		fi
	done
}

# guests VARIANT [TEST...]: the tests, in guests of that kernel.
guests() {
	local variant=$1
	shift
	"$TOP/qemu/run-tests.sh" --variant "$variant" --out "$out" "$@"
}

# Everything that takes both cores comes first: tools, kernels, modules.
rm -rf "$out"
mkdir -p "$out"
"$TOP/scripts/deps.sh" kernel vm tool check test nbd host
"$TOP/scripts/tool.sh" >/dev/null
make -s -C "$TOP/tests" >&2
variants=(base base-nbd debug)
for variant in "${variants[@]}"; do
	"$TOP/scripts/kernel.sh" --variant "$variant" >/dev/null
done
printf '%s\n' "${variants[@]}" |
	xargs -n 1 -P "$J" "$TOP/scripts/module.sh" --variant >/dev/null
say "set up in $((SECONDS - started)) s"

# Side by side, as many as there are slots; the longest first.
stage debug guests debug &
stage base guests base &
# NBD as a part of the kernel: its events are there from the start.
stage base-nbd guests base-nbd load.sh headroom-layers.sh &
stage harness "$TOP/scripts/host-test.sh" selftest "$TOP/qemu/selftest.sh" &
stage kill with_slot "$TOP/scripts/host-test.sh" kill "$TOP/qemu/kill-test.sh" &
stage host with_slot "$TOP/scripts/host-test.sh" &
stage check with_slot "$TOP/scripts/host-test.sh" check "$TOP/scripts/check.sh" &
wait

tally host check harness kill base-nbd base debug
echo "took $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s; KTAP and logs are in $out"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host-test.sh: the tests that need no guest: the module's policy code and the
# reclaimwb tool (cargo), and the host scripts' own (tests/host/*.sh, KTAP).
# The last line is `N passed, N failed, N skipped`; logs are in out/test/host/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

out=$OUT/test/host
mkdir -p "$out"
passed=0 failed=0 skipped=0

count() { # NAME PASSED FAILED SKIPPED LOG [WHY]
	passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
	printf '%-4s %-8s %-28s %3d passed' "$([ "$3" = 0 ] && echo ok || echo FAIL)" host "$1" "$2"
	[ "$3" = 0 ] || printf ', %d failed' "$3"
	[ "$4" = 0 ] || printf ', %d skipped' "$4"
	echo "${6:+: $6}"
	[ "$3" = 0 ] || tail -n 40 "$5" | sed 's/^/       /'
}

# A crate's tests. No `test result:` line at all is a failure.
crate() { # NAME DIR
	local log=$out/$1.log p f s rc=0 target
	target=$(cargo_target)
	(cd "$2" && CARGO_TARGET_DIR=$target cargo test --locked) >"$log" 2>&1 || rc=$?
	read -r p f s < <(awk '/^test result:/ { p += $4; f += $6; s += $8 }
		END { print p + 0, f + 0, s + 0 }' "$log")
	if [ "$p" = 0 ]; then
		count "$1" 0 1 0 "$log" "no test ran"
	elif [ $rc != 0 ] && [ "$f" = 0 ]; then
		count "$1" "$p" 1 "$s" "$log" "cargo test ended with exit code $rc"
	else
		count "$1" "$p" "$f" "$s" "$log"
	fi
}

# A KTAP script of the host; judged like a guest's.
ktap() { # NAME COMMAND...
	local name=$1 log=$out/$1.ktap rc=0 p f s why
	shift
	echo "# begin $name" >"$log"
	"$@" >>"$log" 2>"$log.err" || rc=$?
	echo "# end $name rc=$rc seconds=0" >>"$log"
	read -r p f s _ why < <(awk -v script="$name" -f "$TOP/qemu/ktap-sum.awk" "$log")
	[ "$f" = 0 ] || sed 's/^/# /' "$log.err" >>"$log"
	count "$name" "$p" "$f" "$s" "$log" "${why#-}"
}

if [ $# = 0 ]; then
	crate policy "$TOP/rust/policy"
	crate tool "$TOP/scripts/reclaimwb"
	for script in "$TOP"/tests/host/*.sh; do
		ktap "$(basename "$script" .sh)" "$script"
	done
else
	ktap "$@"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# scenarios.sh             print the scenarios, as paths below tests/
# scenarios.sh NAME...     print the path of each of these tests, or fail
#
# The runner (qemu/suite/header.py) and tests/Makefile call it; shell scripts source it. It needs
# nothing but a shell.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# scenarios: a scenario is a script in a folder of tests/ that says what it guards. A script that
# somebody is trying out may be in tests/ itself.
scenarios() {
	(cd "$TOP/tests" && { find . -maxdepth 1 -name '*.sh' -printf '%P\n'; grep -l '^# guards: ' -- */*.sh; } | LC_ALL=C sort)
}

# find_test NAME: print its path below tests/. NAME is a path, or the file name of a scenario if no
# other scenario has the same one.
find_test() {
	local path tests matches
	tests=$(readlink -f "$TOP/tests")
	for path in "$1" "$TOP/tests/$1" "$TOP/$1"; do
		[ -f "$path" ] || continue
		path=$(readlink -f "$path")
		[[ $path = "$tests"/* ]] || continue
		echo "${path#"$tests/"}"
		return
	done
	mapfile -t matches < <(scenarios | awk -F/ -v name="$1" '$NF == name')
	case ${#matches[@]} in
	0) die "no test '$1': there is $(scenarios | xargs)" ;;
	1) echo "${matches[0]}" ;;
	*) die "several tests are named '$1': ${matches[*]}" ;;
	esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -euo pipefail
	[ $# -gt 0 ] || scenarios
	for name; do find_test "$name"; done
fi

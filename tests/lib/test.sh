#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The library every scenario sources. It holds the course of a test (needs,
# plan, checks, end); what a test works with is beside it, one idea a file.
#
#	. "$(dirname "$0")/../lib/test.sh"
#	need_nbd fast			# skips with a reason if it is not there
#	start_test 3 "what it shows"	# plan: 3 checks, plus END_CHECKS
#	load_mod
#	...				# check*, each is one KTAP result
#	finish				# undo, module gone, console clean
#
# Where the plan would be a sum of many terms, it comes at the end, and each part of the script says
# how many checks it must have made:
#
#	start_test plan-at-end "what it shows"
#	check_books
#	section "books" "$BOOKS"
#
# Runs under busybox ash, dash and bash.
set -u

# What the scenarios and the other files here read, ShellCheck cannot see.
# shellcheck disable=SC2034
TESTS=${RWB_TESTS:-$(cd "$(dirname "$0")" && pwd)}
# A script is in a folder of tests/; one that somebody is trying out may be in tests/ itself.
[ -f "$TESTS/lib/test.sh" ] || TESTS=${TESTS%/*}
# shellcheck disable=SC2034
BIN=$TESTS/bin
[ -d "$BIN" ] || BIN=$TESTS/../out/tests/bin
# The path below tests/, such as around/stuck: file names alone are not unique.
NAME=$(cd "$(dirname "$0")" && pwd)/$(basename "$0" .sh)
NAME=${NAME#"$TESTS/"}
# Results of `finish`: the module is gone, the console is clean.
END_CHECKS=2

# A file of ours that is swapped out would be waited for: not in a tmpfs. In our guest /root
# is in a ramfs; elsewhere it is somebody's.
[ "${RWB_VM:-}" != qemu ] || export TMPDIR=/root

KSFT=tools/testing/selftests/kselftest
for KTAP_HELPERS in "${KTAP_HELPERS:-}" "$TESTS/ktap_helpers.sh" \
		"${KSRC:-}/$KSFT/ktap_helpers.sh" "${KDIR:-}/source/$KSFT/ktap_helpers.sh" \
		"/lib/modules/$(uname -r)/source/$KSFT/ktap_helpers.sh" \
		"$TESTS/../kselftest/ktap_helpers.sh"; do
	[ -f "$KTAP_HELPERS" ] && break
done
if [ ! -f "$KTAP_HELPERS" ]; then
	echo "1..0 # SKIP no ktap_helpers.sh: set KSRC to a kernel's source"
	exit 4
fi
# shellcheck source=/dev/null
. "$KTAP_HELPERS"

say()
{
	ktap_print_msg "$*"
}

skip_all()
{
	ktap_print_header
	ktap_skip_all "$*"
	exit "$KSFT_SKIP"
}

# The test cannot go on: one line, and a failure.
bail()
{
	ktap_exit_fail_msg "$*"
}

need_root()
{
	[ "$(id -u)" = 0 ] || skip_all "needs root"
}

need_file()
{
	[ -e "$1" ] || skip_all "no $1${2:+ ($2)}"
}

# --- undo: what a test changes goes back, last change first, however it ends
UNDO=
undo()
{
	UNDO="$*
$UNDO"
}

undo_all()
{
	local todo="$UNDO" line

	UNDO=
	while read -r line; do
		[ -z "$line" ] || eval "$line" < /dev/null
	done <<-END
	$todo
	END
}

on_exit()
{
	local rc=$?

	trap - EXIT
	undo_all
	# Whatever its last command returned: a script that has not made its last check has not passed.
	if [ -z "$OVER" ] && [ "$rc" = 0 ]; then
		say "it ended before its last check"
		rc=$KSFT_FAIL
	fi
	[ ! -d /sys/module/reclaimwb ] || rmmod reclaimwb
	rm -rf "$TMP"
	exit "$rc"
}

# --- course of a test

# Set once all checks are made.
OVER=

# start_test PLAN TITLE: so many checks, or plan-at-end.
start_test()
{
	local plan="$1"

	need_root
	[ -d /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing ||
		skip_all "no tracefs"
	[ -d /sys/kernel/debug/tracing ] || mount -t debugfs debugfs /sys/kernel/debug ||
		skip_all "no debugfs"
	TMP=$(mktemp -d "${TMPDIR:-/tmp}/rwb.XXXXXX") || skip_all "no temporary directory"
	trap on_exit EXIT
	trap 'exit 1' HUP INT TERM

	ktap_print_header
	if [ "$plan" = plan-at-end ]; then
		SECTION_AT=$KTAP_TESTNO
	else
		ktap_set_plan $((plan + END_CHECKS))
	fi
	say "$NAME: $2"
	[ ! -d /sys/module/reclaimwb ] || unload_mod
	# Only what the console says from here on is this test's.
	MARKER="reclaimwb-test: start $NAME $$"
	echo "$MARKER" > /dev/kmsg
}

# section NAME CHECKS: so many checks were made since the last section, or since the start; else the
# script fails. It stands behind the loops of its part, so that it sees one that never ran.
SECTION_AT=
section()
{
	local made

	[ -n "$SECTION_AT" ] || bail "section $1: the plan is at the start"
	made=$((KTAP_TESTNO - SECTION_AT))
	if [ "$made" != "$2" ]; then
		say "section $1: got $made checks, expected $2"
		ktap_test_fail "section $1 is whole"
	fi
	SECTION_AT=$KTAP_TESTNO
}

finish()
{
	[ -z "$SECTION_AT" ] || section "after the last one" 0
	undo_all
	[ ! -d /sys/module/reclaimwb ] || unload_mod
	check "module is gone" test ! -d /sys/module/reclaimwb
	console_scan > "$TMP/console"
	check_eq "console is clean" "$(cat "$TMP/console")" "clean"
	[ -z "$SECTION_AT" ] || ktap_set_plan $((KTAP_TESTNO - 1))
	OVER=yes
	ktap_finished
}

# --- checks. Each is one result; a value that is not there never passes.

# by_chance CHECK...: one that the machine's pace decides, not the module: was the situation
# met that the test is about, or what share did something have of a time that others' work
# on the machine lengthens? It fails as any other; but if nothing else failed,
# qemu/run-tests.py has the script try again.
CHANCE=
by_chance()
{
	CHANCE="by chance: "
	"$@"
	CHANCE=
}

check()
{
	local what="$1"

	shift
	if "$@"; then
		ktap_test_pass "$what"
	else
		say "${CHANCE}failed: $*"
		ktap_test_fail "$what"
	fi
}

check_not()
{
	local what="$1"

	shift
	if "$@"; then
		say "${CHANCE}should have failed: $*"
		ktap_test_fail "$what"
	else
		ktap_test_pass "$what"
	fi
}

# check_eq WHAT GOT EXPECTED: two figures that no ledger has ("missing") are not equal.
check_eq()
{
	if [ -n "$2" ] && [ "$2" != missing ] && [ "$2" = "$3" ]; then
		ktap_test_pass "$1"
	else
		say "${CHANCE}got '$2', expected '$3'"
		ktap_test_fail "$1"
	fi
}

# check_missing WHAT VALUE: the ledger has no such row, and must not have it.
check_missing()
{
	check "$1" test "$2" = missing
}

is_number()
{
	case "${1#-}" in
	''|*[!0-9]*) return 1 ;;
	esac
}

# equal A B: both are the same number, and neither is missing.
equal()
{
	is_number "$1" && [ "$1" = "$2" ]
}

# check_num WHAT A -gt|-ge|-eq|-le|-lt B
check_num()
{
	if is_number "$2" && is_number "$4" && test "$2" "$3" "$4"; then
		say "$1: $2 $3 $4"
		ktap_test_pass "$1"
	else
		say "${CHANCE}got $2, expected $3 $4"
		ktap_test_fail "$1"
	fi
}

skip_checks()
{
	local n="$1"

	shift
	while [ "$n" -gt 0 ]; do
		ktap_test_skip "$*"
		n=$((n - 1))
	done
}

# loop_until TENTHS CMD...: poll every 0.1 s, at most TENTHS times.
loop_until()
{
	local n="$1"

	shift
	while ! "$@"; do
		[ "$n" -gt 0 ] || return 1
		n=$((n - 1))
		sleep 0.1
	done
}

# has_ended PID
has_ended()
{
	! kill -0 "$1" 2> /dev/null
}

# show_lines [PREFIX]: shows its input as diagnostics, line by line.
show_lines()
{
	local line

	while read -r line; do
		say "${1-  }$line"
	done
}

for part in system module ledger swap disk cgroup hog around handoff stalls waits trace books tool; do
	# shellcheck source=/dev/null
	. "$TESTS/lib/$part.sh"
done

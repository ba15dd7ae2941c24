#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every scenario sources this library. This file has the course of a test: what it needs, its plan,
# its checks and its end. What a test works with is in the files beside it, one subject in each.
#
#	. "$(dirname "$0")/../lib/test.sh"
#	need_nbd fast			# skips the test, with a reason, if there is none
#	start_test 3 "what it shows"	# the plan has 3 checks, and END_CHECKS
#	load_mod
#	...				# each check* is one KTAP result
#	finish				# undo; check that the module is gone and the console clean
#
# If the plan would be a sum of many terms, it comes at the end, and each part of the script says
# how many checks it has:
#
#	start_test plan-at-end "what it shows"
#	check_books
#	section "books" "$BOOKS"
#
# It runs under busybox ash, dash and bash.
set -u

# ShellCheck cannot see what the scenarios and the other files of the library read.
# shellcheck disable=SC2034
TESTS=${RWB_TESTS:-$(cd "$(dirname "$0")" && pwd)}
# A script is in a folder of tests/. A script that somebody is trying out may be in tests/ itself.
[ -f "$TESTS/lib/test.sh" ] || TESTS=${TESTS%/*}
# shellcheck disable=SC2034
BIN=$TESTS/bin
[ -d "$BIN" ] || BIN=$TESTS/../out/tests/bin
# The name is the path below tests/, such as around/stuck: file names alone are not unique.
NAME=$(cd "$(dirname "$0")" && pwd)/$(basename "$0" .sh)
NAME=${NAME#"$TESTS/"}
# `finish` makes two checks: the module is gone, and the console is clean.
END_CHECKS=2

# Temporary files must not be swapped out, or the test would wait for the device that it tests: they
# must not be in a tmpfs. Our guest has /root in a ramfs. Elsewhere /root belongs to somebody.
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

# bail REASON: the test cannot go on, and fails.
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

# --- undo: however a test ends, its changes are undone, the last one first
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
	# A script that has not come to its end has not passed, whatever its last command returned.
	if [ -z "$OVER" ] && [ "$rc" = 0 ]; then
		say "the script ended before its last check"
		rc=$KSFT_FAIL
	fi
	[ ! -d /sys/module/reclaimwb ] || rmmod reclaimwb
	rm -rf "$TMP"
	exit "$rc"
}

# --- the course of a test

# OVER is set when all checks are made.
OVER=

# start_test PLAN TITLE: PLAN is the number of checks, or plan-at-end.
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
	# The test is responsible for what the console says from here on.
	MARKER="reclaimwb-test: start $NAME $$"
	echo "$MARKER" > /dev/kmsg
}

# section NAME CHECKS: fails the script unless it has made that many checks since the last section,
# or since its start. A section stands behind the loops of its part, so that it notices a loop that
# never ran.
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

# --- checks. Each makes one result. A value that is not there never passes.

# by_chance CHECK...: marks a check that the pace of the machine decides, not the module. Did the
# situation occur that the test is about? What share of a time does something have that other work
# on the machine makes longer? Such a check fails as any other does; but if nothing else has failed,
# qemu/run-tests.py runs the script again.
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

# check_eq WHAT GOT EXPECTED: two values that are missing from the ledger are not equal.
check_eq()
{
	if [ -n "$2" ] && [ "$2" != missing ] && [ "$2" = "$3" ]; then
		ktap_test_pass "$1"
	else
		say "${CHANCE}got '$2', expected '$3'"
		ktap_test_fail "$1"
	fi
}

# check_missing WHAT VALUE: checks that the ledger does not have that row.
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

# equal A B: are both the same number?
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

# loop_until TENTHS CMD...: polls every 0.1 s, at most TENTHS times.
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

# show_lines PREFIX: shows its input as diagnostics that begin with PREFIX.
show_lines()
{
	local line

	while read -r line; do
		say "$1$line"
	done
}

for part in system module ledger swap disk cgroup hog around handoff stalls waits trace books tool; do
	# shellcheck source=/dev/null
	. "$TESTS/lib/$part.sh"
done

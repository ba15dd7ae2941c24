# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those who source it
# KTAP results for tests that drive guests from outside. This file is sourced after lib.sh.

number=0 failures=0

result() { # DESCRIPTION COMMAND...
	local what=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number $what"
	else
		echo "not ok $number $what"
		failures=$((failures + 1))
	fi
}

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each section of this script has the checks that it should have, and the plan comes at the end.
. "$(dirname "$0")/../lib/test.sh"

start_test plan-at-end "a plan at the end"
for what in one another; do
	check "$what" true
done
section "a loop" 2
section "nothing" 0
check "a third" true
section "a third" 1

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script has a loop that never ran, so that a section lacks two checks. One check is in no
# section.
. "$(dirname "$0")/../lib/test.sh"

start_test plan-at-end "a loop that never ran"
KINDS=
for kind in $KINDS; do
	check "$kind" true
done
section "the kinds" 2
check "a check" true

finish

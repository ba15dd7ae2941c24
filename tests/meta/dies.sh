#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Ends well, by its exit code, but before its plan.
. "$(dirname "$0")/../lib/test.sh"

start_test plan-at-end "an early end"
check "a check" true
section "all" 1
exit 0

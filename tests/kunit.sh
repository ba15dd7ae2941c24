#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module's KUnit suite, which a kernel with KUNIT=y runs at load.
# variants: debug
# append: kunit.enable=1 kunit.autorun=1 kmemleak=on
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_mod
have_config KUNIT || skip_all "no CONFIG_KUNIT"
start_test 3 "KUnit suite"
load_mod

# Results are kept in debugfs while the module is there.
RESULTS=/sys/kernel/debug/kunit/reclaimwb/results
[ -e "$RESULTS" ] || RESULTS=$TMP/kunit
[ -e "$RESULTS" ] || console_since | sed 's/^\[[^]]*\] //' > "$RESULTS"
check_num "cases passed" "$(grep -cE '^ +ok [0-9]+ ' "$RESULTS")" -gt 0
check_eq "cases failed" "$(grep -cE '^ *not ok ' "$RESULTS")" 0
check "the suite passed" grep -qE '^ok [0-9]+ reclaimwb' "$RESULTS"

finish

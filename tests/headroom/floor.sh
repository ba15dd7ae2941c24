#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# headroom_floor: a sample below it makes the event headroom_low, with the stack. The rate of these
# events is limited. 0 switches them off.
# guards: rust/ledgers/headroom.rs rust/ledgers/stacks.rs rust/policy/ratelimit.rs
# faults: report
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
start_test 9 "the headroom_low event"
load_mod
zram_swap_on 64
trace_start reclaimwb/headroom_low

size=$(row headroom stack.size)
check "the floor can be the whole stack" sh -c "echo $size > $PARAMS/headroom_floor"
check "the workload runs" "$BIN/memhog" -p -c text -m 8
samples=$(awk '$1 ~ /^[a-z_]+\.(entry|write|bio|nbd|net)\.count$/ { n += $2 } END { print n + 0 }' \
	"$LEDGER/headroom")
events=$(trace_count headroom_low)
check_num "there were samples" "$samples" -gt 500
check_num "there were warnings" "$events" -gt 0
check_num "there were fewer warnings than samples: their rate is limited" "$events" -lt "$samples"
grep " headroom_low: " "$INSTANCE/trace" | head -n 1 > "$TMP/event"
say "$(cat "$TMP/event")"
check "a warning has origin, layer, headroom and floor" \
	grep -Eq "headroom_low: .*madvise.*(write|bio).*[0-9]+.*$size" "$TMP/event"
check "it names callers" grep -q "shrink_folio_list\|reclaim_folio_list" "$INSTANCE/trace"

echo 0 > "$PARAMS/headroom_floor"
echo > "$INSTANCE/trace"
check "the workload runs again" "$BIN/memhog" -p -c text -m 8
check_eq "with the floor at 0 there is no warning" "$(trace_count headroom_low)" 0

finish

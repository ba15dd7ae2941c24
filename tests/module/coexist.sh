#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# ftrace, perf, BPF and the module use the same tracepoint: each sees every write.
# guards: rust/probes.rs rust/control/probes.rs rust/kernel_ext/tracepoint.rs
# faults: report
# variant-skip: debug (that kernel has no BPF)
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

EVENT=vmscan/mm_vmscan_write_folio
need_mod
need_no_swap
start_test 9 "others on the same tracepoint"
zram_swap_on 64

# Half of them are there before the module, half come after it.
trace_start $EVENT
"$BIN/tpcount" perf "$(cat "$TRACING/events/$EVENT/id")" "$TMP/perf.on" "$TMP/off" > "$TMP/perf" 2>&1 &
perf=$!
undo "kill $perf 2> /dev/null"
check "perf is attached" loop_until 50 test -e "$TMP/perf.on"
load_mod
"$BIN/tpcount" bpf mm_vmscan_write_folio "$TMP/bpf.on" "$TMP/off" > "$TMP/bpf" 2>&1 &
bpf=$!
undo "kill $bpf 2> /dev/null"
check "BPF is attached" loop_until 50 test -e "$TMP/bpf.on"
quiesce
snap before
check_eq "nothing was written yet" "$(trace_count mm_vmscan_write_folio)" 0

check "workload runs" "$BIN/memhog" -p -c text -m "$(scaled 16)"
quiesce
snap after
touch "$TMP/off"
wait "$perf" "$bpf"

ours=$(delta writes 'total\.folios')
check_num "we counted" "$ours" -gt 500
check_eq "ftrace lost nothing" "$(trace_lost)" 0
check_eq "ftrace counted the same" "$(trace_count mm_vmscan_write_folio)" "$ours"
check_eq "perf counted the same" "$(cat "$TMP/perf")" "$ours"
check_eq "BPF counted the same" "$(cat "$TMP/bpf")" "$ours"

finish

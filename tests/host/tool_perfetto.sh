#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A trace that `reclaimwb stalls --perfetto` writes is read with Perfetto's own schema (Python
# package perfetto), and by its trace processor, if there is one: TRACE_PROCESSOR=, or
# trace_processor_shell on PATH. (The package would fetch that program from a place that is no
# package registry. This test does not.)
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"
# shellcheck source=lib/tool.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/tool.sh"

PERFETTO=0.59.1
reader=$TOP/tests/host/lib/trace.py

has_schema() { python3 -c 'from perfetto.protos.perfetto.trace import perfetto_trace_pb2' 2>/dev/null; }

if ! command -v python3 >/dev/null; then
	ktap_skip_all "no python3 to make a recording with"
	exit "$KSFT_SKIP"
fi
why=
if ! has_schema; then
	packages=$RWB_CACHE/tools/perfetto-$PERFETTO
	export PYTHONPATH=$packages${PYTHONPATH:+:$PYTHONPATH}
	if [ ! -d "$packages" ]; then
		mkdir -p "$RWB_CACHE/tools"
		if python3 -m pip install --quiet --target "$packages.tmp" "perfetto==$PERFETTO" >"$scratch/pip.log" 2>&1; then
			mv "$packages.tmp" "$packages"
		else
			rm -rf "$packages.tmp"
		fi
	fi
	has_schema || why="no Python package perfetto: $(tail -n1 "$scratch/pip.log" 2>/dev/null)"
fi
processor=${TRACE_PROCESSOR:-$(command -v trace_processor_shell)}

# has NAME REGEX: the schema's reader found such a line.
has() {
	if [ -n "$why" ]; then
		ktap_test_skip "$1: $why"
	else
		passes "$1" grep -E -- "$2" "$scratch/facts"
	fi
}

# asks NAME SQL EXPECTED: the trace processor gives that answer.
asks() {
	if [ -n "$why" ] || [ -z "$processor" ]; then
		ktap_test_skip "$1: ${why:-no trace_processor_shell (TRACE_PROCESSOR=)}"
		return
	fi
	local got
	got=$(python3 "$reader" query "$scratch/trace" "$processor" "$2" 2>"$scratch/log" | paste -sd' ')
	if [ "$got" = "$3" ]; then
		ktap_test_pass "$1"
	else
		sed 's/^/# | /' "$scratch/log"
		ktap_print_msg "got '$got', expected '$3'"
		ktap_test_fail "$1"
	fi
}

ktap_print_header
ktap_set_plan 16

python3 "$reader" make "$fixtures" "$scratch/recording"
passes "a trace is written" "$tool" stalls "$scratch/recording" --perfetto "$scratch/trace"

if [ -n "$why" ]; then
	ktap_test_skip "the schema has all its fields: $why"
else
	facts() { python3 "$reader" facts "$scratch/trace" >"$scratch/facts"; }
	passes "the schema has all its fields" facts
fi
has "a track for a task, in its group" "^track 'Tasks' 'memhog \[272\]' -$"
has "a counter of bytes" "^track 'Stack left' 'direct' UNIT_SIZE_BYTES$"
has "a counter of pages" "^track 'Pages written' 'kswapd' UNIT_UNSPECIFIED$"
has "a stall, with its parts" \
	"^slice 'memhog \[272\]' 'stall: lock of the NBD connection' 1002000000 300000000 depth=0 .*parts_ns.scan=50000000 parts_ns.nbd_lock=250000000"
has "the window within it" "^slice 'memhog \[272\]' 'reclaim: direct' 1101000000 200000000 depth=1 .*freed_pages=32"
has "the recording, and what was lost" "^slice 'Recording' 'memhog' 1000000000 2000000000 .*lost.cpu1=7"
has "a write" "^instant 'kswapd0 \[30\]' 'write anon io' 1100000000 .*pages=3 .*headroom_bytes=12000"
has "a sample of low headroom" "^instant 'memhog \[272\]' 'headroom low' 1500000000 .*stack=ip_output"
has "what a counter says" "^counter 'kswapd' 1100000000 3$"

asks "trace processor: no event is dropped" \
	"select ifnull(sum(value), 0) as n from stats where severity in ('error', 'data_loss') and value > 0" "0"
asks "trace processor: slices" "select count(*) as n from slice where dur > 0" "3"
asks "trace processor: the window is the stall's child" \
	"select p.name as name from slice c join slice p on c.parent_id = p.id where c.name = 'reclaim: direct'" \
	"stall: lock of the NBD connection"
asks "trace processor: parts of the stall" \
	"select int_value as ns from args where key = 'debug.parts_ns.nbd_lock'" "250000000"
asks "trace processor: counters" "select count(*) as n from counter" "4"

ktap_finished

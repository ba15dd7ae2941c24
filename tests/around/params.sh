#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The parameters of write-around have bounds. A bad value gets EINVAL and changes nothing, at load
# and at run time.
# guards: rust/settings.rs rust/control/parameters.rs rust/words/parameter.rs rust/policy/window.rs rust/policy/budget.rs
# faults: report
. "$(dirname "$0")/../lib/test.sh"

need_helper
GOOD="window=64 window=4096 request_cost=0 request_cost=1024 inflight=256 inflight=65536
	ring_pages=64 ring_pages=65536 write_around=N"
BAD="window=32 window=8192 window=96 window=-1 window=x request_cost=1025 request_cost=-1
	inflight=255 inflight=65537 inflight=1.5 ring_pages=63 ring_pages=65537 ring_pages=
	write_around=2"
start_test 38 "parameters of write-around"

# shellcheck disable=SC2086 # one a word
check_loads $GOOD
# shellcheck disable=SC2086
check_refuses $BAD

load_helper
# shellcheck disable=SC2086
check_writes_refused $BAD
set_to window=256
check_eq "window can be set" "$(param window)" 256

finish

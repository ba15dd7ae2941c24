#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A swap device of which every write fails: what cannot be written stays dirty, and right; who
# wants memory does not wait for the writer longer than for the device; and the books
# balance. When the device is well, handoff goes on.
# guards: rust/helper/swap/ rust/policy/handoff.rs
# faults: progress
# disk: 512M
# variants: base
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_disk disk0
need_dm flakey
start_test $((2 * HANDOFF_BOOKS + 9)) "a swap device that fails"
load_handoff
disk_attach disk0
UNDER=$DISK
dm_make rwb-eio "$UNDER"
DEV=$DISK
swap_on "$DEV"

errors()
{
	handoff request.errors
}

taken()
{
	handed '[a-z_]*\.taken\.requests'
}

fails()
{
	[ "$(errors)" -gt 100 ]
}

check "every page comes back right" pressure anon
check_num "requests were handed off" "$(taken)" -gt 0
check_eq "none failed" "$(errors)" 0
check_handoff_books "well"

dm_table rwb-eio "$UNDER" flakey || bail "no disk that fails"
# More than there is, and nothing can be swapped out. (Without the helper the OOM killer is not
# asked for minutes, either.)
hog_start doomed -m "$(mem_mib MemTotal)" -w 60
check "requests fail" loop_until 600 fails
check_eq "nobody was sent away as the device is late: it is not" \
	"$(handed '[a-z_]*\.refused\.late\.requests')" 0
hog_kill doomed
dm_table rwb-eio "$UNDER" linear || bail "it stays broken"
check "the writers end" handoff_quiet

before=$(taken) failed=$(errors)
check "when it is well every page comes back right" pressure anon
check_num "and requests are handed off" "$(taken)" -gt "$before"
check_eq "of which none fails" "$(errors)" "$failed"
check_handoff_books "well again"
unload_mod

finish

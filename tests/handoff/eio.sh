#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every write to the swap device fails. A page that cannot be written stays dirty, and right. A task
# that wants memory waits no longer for the writer than for the device. The books balance, and when
# the device is well, handoff goes on.
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
check_eq "no request failed" "$(errors)" 0
check_handoff_books "well"

dm_table rwb-eio "$UNDER" flakey || bail "no disk that fails"
# The task wants more than there is, and nothing can be swapped out. (Even without the helper it
# takes minutes until the OOM killer is called.)
hog_start doomed -m "$(mem_mib MemTotal)" -w 60
check "requests fail" loop_until 600 fails
check_eq "no request was refused because the device is late: it is not" \
	"$(handed '[a-z_]*\.refused\.late\.requests')" 0
hog_kill doomed
dm_table rwb-eio "$UNDER" linear || bail "it stays broken"
check "the writers come to rest" handoff_quiet

before=$(taken) failed=$(errors)
check "every page comes back right when the device is well" pressure anon
check_num "requests are handed off again" "$(taken)" -gt "$before"
check_eq "none of these fails" "$(errors)" "$failed"
check_handoff_books "well again"
unload_mod

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A swap device of which every write fails gets no more from the writer: what it cannot take
# would be queued again and again, and the OOM killer, which comes then without us, would
# come the later for it. When the device is well, handoff goes on.
# guards: rust/helper/swap/ rust/policy/patience.rs
# faults: progress
# disk: 512M
# variants: base
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_handoff
need_disk disk0
need_dm flakey
start_test $((2 * HANDOFF_BOOKS + 8)) "a swap device that fails"
load_handoff
disk_attach disk0
UNDER=$DISK
dm_make rwb-eio "$UNDER"
DEV=$DISK
swap_on "$DEV"

failing()
{
	handed '[a-z_]*\.refused\.failing\.folios'
}

taken()
{
	handed '[a-z_]*\.taken\.folios'
}

refuses()
{
	[ "$(failing)" -gt 100 ]
}

check "every page comes back right" pressure anon
check_num "folios were handed off" "$(taken)" -gt 0
check_eq "none was refused, as nothing fails" "$(failing)" 0
check_handoff_books "well"

dm_table rwb-eio "$UNDER" flakey || bail "no disk that fails"
before=$(taken)
# Killed for memory, most likely, as nothing can be swapped out.
hog_start doomed -m "$(mem_mib MemTotal)" -w 60
check "what fails is handed off no more" loop_until 600 refuses
say "$(($(taken) - before)) folios were handed off meanwhile, $(failing) not"
check_num "that is nearly all of them" "$(($(taken) - before))" -lt "$(failing)"
hog_kill doomed
dm_table rwb-eio "$UNDER" linear || bail "it stays broken"

before=$(taken) refused=$(failing)
check "when it is well every page comes back right" pressure anon
check_num "and folios are handed off again" "$(taken)" -gt "$before"
# Until a second after the last request that failed.
say "$(($(failing) - refused)) more were refused"
check_num "more than were refused" $(($(taken) - before)) -gt $(($(failing) - refused))
check_handoff_books "well again"
unload_mod

finish

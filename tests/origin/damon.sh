#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin madvise, in another way: DAMON pages out what a task does not touch.
# guards: rust/words/origin.rs rust/ledgers/windows.rs rust/tables/tasks.rs rust/tables/farthest.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

ADMIN=/sys/kernel/mm/damon/admin/kdamonds
need_mod
need_no_swap
need_file "$ADMIN" CONFIG_DAMON_SYSFS
start_test $((CHARGED + 2)) "writes by DAMON's pageout scheme"
load_mod
zram_swap_on 64

hog_start hog -c text -m "$(scaled 16)"
hog_filled hog
snap before

undo "echo 0 > $ADMIN/nr_kdamonds"
echo 1 > "$ADMIN/nr_kdamonds"
echo 1 > "$ADMIN/0/contexts/nr_contexts"
C=$ADMIN/0/contexts/0
echo vaddr > "$C/operations"
echo 1 > "$C/targets/nr_targets"
cat "$TMP/hog.pid" > "$C/targets/0/pid_target"
# It samples fast, and pages out every region that is not accessed at all.
echo 5000 > "$C/monitoring_attrs/intervals/sample_us"
echo 100000 > "$C/monitoring_attrs/intervals/aggr_us"
echo 1 > "$C/schemes/nr_schemes"
S=$C/schemes/0
echo pageout > "$S/action"
echo 4096 > "$S/access_pattern/sz/min"
echo 18446744073709551615 > "$S/access_pattern/sz/max"
echo 0 > "$S/access_pattern/nr_accesses/max"
echo 4294967295 > "$S/access_pattern/age/max"
undo "echo off > $ADMIN/0/state"
check "DAMON starts" sh -c "echo on > $ADMIN/0/state"

most_written()
{
	snap after
	[ "$(delta vmstat nr_vmscan_write)" -ge $(($(scaled 16) * 128)) ]
}
loop_until 200 most_written
echo off > "$ADMIN/0/state"
quiesce
snap after
check_charged madvise anon sync $(($(scaled 16) * 128))
check "every page came back right" hog_done hog

finish

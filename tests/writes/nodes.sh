#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two memory nodes: writes are shown with the node that their pages were on.
# guards: rust/ledgers/writes.rs rust/kernel_ext/zone.rs
# faults: books
# numa: 2
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_file /sys/devices/system/node/node1 "one memory node only"
grep -qw cpuset "$CG/cgroup.controllers" || skip_all "no cpuset controller"
start_test plan-at-end "writes by node"
load_mod
zram_swap_on 128

cg_make rwb-nodes
check "cgroups can have cpusets" sh -c "echo +cpuset > $CG/cgroup.subtree_control"
section "cpusets" 1

# writes_from NODE OTHER
writes_from()
{
	echo "$1" > "$CG/rwb-nodes/cpuset.mems"
	snap before
	hog_in "$CG/rwb-nodes" "node$1" -c text -m "$(scaled 16)" -p
	hog_filled "node$1"
	quiesce
	snap after
	check_only madvise anon sync $(($(scaled 16) * 200))
	section "node $1: what was written" "$ONLY"
	check_eq "all pages are from node $1" "$(delta writes "madvise\\.node\\.$1\\.pages")" \
		"$(delta writes 'total\.pages')"
	check_eq "no page is from the other node" "$(delta writes "madvise\\.node\\.$2\\.pages")" 0
	check "every page came back right" hog_done "node$1"
	section "node $1: from where, and content" 3
}

writes_from 0 1
writes_from 1 0

finish

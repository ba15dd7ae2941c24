#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What zswap writes back, and on whose stack. If a cgroup is at its memory.zswap.max, the task that
# reclaims from it does it; if the pool is full, a worker of zswap does. These are no writes by
# reclaim, and no other row of the ledger has them. The kernel's zswpwb and the device agree.
# guards: rust/probes/zswap.rs rust/ledgers/swap_io.rs rust/probes/function.rs
# faults: books origin
# disk: 512M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_memcg
need_no_swap
need_zswap
need_disk disk0
start_test plan-at-end "what zswap writes back"
load_mod handoff=never
disk_attach disk0
swap_on "$DISK"
sync
zswap_on || bail "no zswap"
MIB=$(scaled 16)

ANY_BACK='zswap_writeback\.[a-z_]*\.pages'

back_so_far()
{
	vmstat zswpwb
}

# written_back WHAT WHO: checks what was written back since the snapshot.
written_back()
{
	local back

	quiesce
	# zswap's worker may go on for a while.
	loop_until 300 is_idle back_so_far ""
	snap after
	back=$(delta vmstat zswpwb)
	check_num "$1: zswap wrote back" "$back" -gt 256
	check_eq "$1: the ledger has as much" "$(delta writes "$ANY_BACK")" "$back"
	by_chance check_num "$1: on the expected stack" "$(delta writes "zswap_writeback\\.$2\\.pages")" \
		-ge $((back * 9 / 10))
	section "$1: what was written back" 3
	check_books
	section "$1: books" "$BOOKS"
}

cg_make rwb-back
ZCG=$CG/rwb-back
[ -e "$ZCG/memory.zswap.max" ] || bail "no memory.zswap.max"
echo 1M > "$ZCG/memory.zswap.max"
snap before
sectors=$(written_sectors "$DISK")
hog_in "$ZCG" limited -c random -m "$MIB"
hog_filled limited
echo "$((MIB / 2))M" > "$ZCG/memory.reclaim"
written_back "a cgroup's limit" memcg_reclaim
check_num "as much was written to the device" "$(($(written_sectors "$DISK") - sectors))" -ge \
	$(($(delta vmstat zswpwb) * 8))
check "every page of the cgroup is right" hog_done limited
section "a cgroup's limit: the device, and content" 2

# The pool is full. The worker has to write so many pages back.
worked()
{
	[ "$(row writes zswap_writeback.worker.pages)" -gt 512 ]
}

set_file /sys/module/zswap/parameters/max_pool_percent 1
leave_mib 24
snap before
hog_start pool -m $((24 + 4 * MIB)) -c random
hog_filled pool
check "a worker writes back" loop_until 300 worked
section "a full pool: a worker" 1
written_back "a full pool" worker
check "every page is right" hog_done pool
section "a full pool: content" 1
drop_ballast

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The load has a cgroup with a limit, so that the cgroup reclaims.
# tier: all (origin/memcg-max.sh has the limit, nbd/restart-same.sh the device)
# guards: rust/helper/swap/ rust/ledgers/nbd.rs
# faults: data progress
# nbd: fast
# mem: 256M
# timeout: 600
# variants: base
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
need_memcg
nbd_start 1 "a cgroup's limit"
cg_make rwb-load
echo "${LEAVE}M" > "$CG/rwb-load/memory.max"
LOAD_CG=$CG/rwb-load
nbd_swap_on fast
load_begin
goes_on 2000
check_num "the limit was met" "$(awk '$1 == "max" { print $2 }' "$CG/rwb-load/memory.events")" -gt 0
load_end
nbd_finish

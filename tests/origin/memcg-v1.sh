#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# cgroup v1: memory.limit_in_bytes has the origin memcg_max, memory.force_empty has memcg_reclaim.
# guards: rust/words/origin.rs rust/ledgers/cgroups.rs
# faults: origin
# cgroup: v1
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg1
start_test $((2 * CHARGED + 4)) "writes by v1 cgroups"
undo cg1_umount
load_mod
zram_swap_on 64
M=$(scaled 16)

cg1_make limit
echo "${M}M" > "$CG1/limit/memory.limit_in_bytes"
snap before
hog_in "$CG1/limit" charge -c text -m $((M + M / 2))
hog_filled charge
quiesce
snap after
check_charged memcg_max anon sync $((M * 50))
id=$(stat -c %i "$CG1/limit")
check_eq "a v1 cgroup has rows with a name of their own" "$(row cgroups "cgroup_v1.$id.path")" -
check_eq "the writes are its own" "$(row cgroups "cgroup_v1.$id.memcg_max.pages")" \
	"$(delta writes 'total\.pages')"
echo -1 > "$CG1/limit/memory.limit_in_bytes"
check "every page came back right" hog_done charge

cg1_make empty
hog_in "$CG1/empty" empty -c text -m "$M"
hog_filled empty
snap before
echo 0 > "$CG1/empty/memory.force_empty"
quiesce
snap after
check_charged memcg_reclaim anon sync $((M * 100))
check "every page came back right" hog_done empty

finish

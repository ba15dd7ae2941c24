#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin memcg_max: a cgroup meets its hard limit, by a charge or because the limit is lowered.
# guards: rust/words/origin.rs rust/ledgers/cgroups.rs rust/kernel_ext/cgroup.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
start_test $((2 * CHARGED + 4)) "writes at memory.max"
load_mod
zram_swap_on 128
M=$(scaled 16)

cg_make rwb-max
echo "${M}M" > "$CG/rwb-max/memory.max"
snap before
hog_in "$CG/rwb-max" charge -c text -m $((M + M / 2))
hog_filled charge
check "every page came back right" hog_done charge
quiesce
snap after
check_charged memcg_max anon sync $((M * 100))
id=$(cg_id rwb-max)
check_eq "the cgroup is known by its path" "$(row cgroups "cgroup.$id.path")" /rwb-max
check_eq "the writes are its own" "$(row cgroups "cgroup.$id.memcg_max.pages")" \
	"$(delta writes 'total\.pages')"

echo max > "$CG/rwb-max/memory.max"
hog_in "$CG/rwb-max" lower -c text -m "$M"
hog_filled lower
snap before
echo "$((M / 2))M" > "$CG/rwb-max/memory.max"
quiesce
snap after
check_charged memcg_max anon sync $((M * 50))
echo max > "$CG/rwb-max/memory.max"
check "every page came back right" hog_done lower

finish

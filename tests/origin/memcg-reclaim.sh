#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin memcg_reclaim: user space asks for reclaim through memory.reclaim.
# guards: rust/words/origin.rs rust/ledgers/cgroups.rs rust/kernel_ext/cgroup.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
start_test $((2 * CHARGED + 2)) "writes by memory.reclaim"
load_mod
zram_swap_on 128
M=$(scaled 16)

cg_make rwb-reclaim
for type in anon shmem; do
	hog_in "$CG/rwb-reclaim" $type -t $type -c text -m "$M"
	hog_filled $type
	snap before
	# The answer is EAGAIN if less than all of it was reclaimed.
	echo "$((M / 2))M swappiness=max" > "$CG/rwb-reclaim/memory.reclaim" 2> /dev/null
	quiesce
	snap after
	check_charged memcg_reclaim $type sync $((M * 64))
	check "every $type page came back right" hog_done $type
done

finish

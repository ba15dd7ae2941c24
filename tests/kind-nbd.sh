#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind io: pages written to swap over NBD are queued as real I/O, anonymous and
# shared memory apart.
# nbd: fast
. "$(dirname "$0")/lib/test.sh"

need_mod
need_nbd fast
need_memcg
start_test $((2 * (CHARGED + BOOKS + 1))) "real I/O over NBD"
load_mod
nbd_swap_on fast
M=$(scaled 16)

cg_make rwb-nbd
for type in anon shmem; do
	hog_in "$CG/rwb-nbd" $type -t $type -m "$M"
	hog_filled $type
	snap before
	echo "$((M / 2))M swappiness=max" > "$CG/rwb-nbd/memory.reclaim" 2> /dev/null
	quiesce
	snap after
	check_charged memcg_reclaim $type io $((M * 64))
	check_books
	check "every $type page came back right" hog_done $type
done

finish

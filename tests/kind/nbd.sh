#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind io: pages written to swap over NBD are queued as real I/O, anonymous and
# shared memory apart.
# guards: rust/words/origin.rs rust/ledgers/writes.rs rust/probes/page.rs
# faults: books
# nbd: fast
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_nbd fast
start_test $((2 * (ONLY + BOOKS + 1))) "real I/O over NBD"
load_mod
nbd_swap_on fast

for type in anon shmem; do
	snap before
	hog_start $type -t $type -m "$(scaled 16)" -p
	hog_filled $type
	quiesce
	snap after
	check_only madvise $type io $(($(scaled 16) * 200))
	check_books
	check "every $type page came back right" hog_done $type
done

finish

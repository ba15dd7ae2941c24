# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # what deltas sets
#
# books TYPE...: for each type of memory, makes pressure over NBD swap. All pages must verify, and
# when memory is quiet, the books must balance to the page.

# Under emulation KASAN slows swap over NBD to a hundred requests a second. Such a kernel can carry
# one mixed load.
# shellcheck disable=SC2034
BOOKS_TYPES="anon shmem mixed" BOOKS_LOADS=3
if have_config KASAN; then
	# shellcheck disable=SC2034
	BOOKS_TYPES=mixed BOOKS_LOADS=1
fi

# shellcheck disable=SC2034
BOOKS_EACH=$((BOOKS + 3))
books()
{
	local type

	for type; do
		snap before
		check "$type: every page came back right" \
			pressure "$type"
		quiesce
		snap after
		check_books
		deltas 'lost=writes:lost\.(anon|shmem)\..*\.pages' \
			'nodes=writes:[a-z_]*\.node\.[0-9]*\.pages' \
			'total=writes:total\.pages'
		check_eq "$type: nothing was lost" "$d_lost" 0
		check_eq "$type: the nodes add up" "$d_nodes" "$d_total"
	done
}

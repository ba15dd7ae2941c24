# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# books TYPE...: memory pressure over NBD swap, for each type of memory: all
# pages prove right, and once quiet the books balance, to the page.

# KASAN slows swap over NBD to 1 MB/s under emulation: one mixed load is what such
# a kernel can carry, and no more above the limit than makes it reclaim.
# shellcheck disable=SC2034
BOOKS_TYPES="anon shmem mixed" BOOKS_LOADS=3
if have_config KASAN; then
	# shellcheck disable=SC2034
	BOOKS_TYPES=mixed BOOKS_LOADS=1 EXCESS=8
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
		check_eq "$type: nothing was lost" \
			"$(delta writes 'lost\.(anon|shmem)\..*\.pages')" 0
		check_eq "$type: nodes add up" \
			"$(delta writes '[a-z_]*\.node\.[0-9]*\.pages')" "$(delta writes 'total\.pages')"
	done
}

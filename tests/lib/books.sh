# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# books TYPE...: memory pressure over NBD swap, for each type of memory: all
# pages prove right, and once quiet the books balance, to the page. The tasks
# hold half as much again as there is memory left for them.

# shellcheck disable=SC2034
BOOKS_EACH=$((BOOKS + 3))
books()
{
	local type left each

	left=$(scaled 48)
	each=$(scaled 36)
	for type; do
		snap before
		check "$type: every page came back right" \
			pressure "$type" 2 "$left" "$each"
		quiesce
		snap after
		check_books
		check_eq "$type: nothing was lost" \
			"$(delta writes 'lost\.(anon|shmem)\..*\.pages')" 0
		check_eq "$type: nodes add up" \
			"$(delta writes '[a-z_]*\.node\.[0-9]*\.pages')" "$(delta writes 'total\.pages')"
	done
}

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The module's ledgers, and the kernel's own counters to hold them against.
# A row that is not there reads as "missing", which no check accepts.

LEDGER=/sys/kernel/debug/reclaimwb
# shellcheck disable=SC2034
ORIGINS="kswapd direct memcg_max memcg_high memcg_reclaim memcg_soft node madvise other lost"

# row LEDGER KEY: the row's value right now.
row()
{
	awk -v k="$2" '$1 == k { sub(/^[^ ]* /, ""); print; n++ }
		END { if (n != 1) print "missing" }' "$LEDGER/$1"
}

# quiet: no reclaim write happened for 0.3 s and none is in flight.
vm_writes()
{
	echo 1 > /proc/sys/vm/stat_refresh
	awk '/^(nr_vmscan_write|pswpout|zswpout|swpout_zero) / { printf "%s ", $2 }
		/^nr_writeback / { w = $2 } END { print w }' /proc/vmstat
}

still()
{
	local a

	a=$(vm_writes)
	sleep 0.3
	[ "$a" = "$(vm_writes)" ] && [ "${a##* }" = 0 ]
}

quiesce()
{
	loop_until 100 still || say "memory did not become quiet in 40 s"
}

# snap NAME: all ledgers and vmstat, as they are now; a running trace is marked.
snap()
{
	local f

	mkdir -p "$TMP/$1"
	# Again while reclaim writes between the first reading and the last.
	for _ in 1 2 3 4 5 6 7 8; do
		# Folds the per-CPU deltas: node counters are exact only after this.
		echo 1 > /proc/sys/vm/stat_refresh
		cat /proc/vmstat > "$TMP/$1/vmstat"
		for f in status writes headroom cgroups; do
			[ ! -e "$LEDGER/$f" ] || cat "$LEDGER/$f" > "$TMP/$1/$f"
		done
		trace_mark "snap $1"
		echo 1 > /proc/sys/vm/stat_refresh
		! grep -qxF "$(grep '^nr_vmscan_write ' /proc/vmstat)" "$TMP/$1/vmstat" || break
	done
}

# sum FILE REGEX: of the rows whose whole key matches.
sum()
{
	awk -v re="^($2)\$" '$1 ~ re { s += $2; n++ }
		END { if (n) printf "%d\n", s; else print "missing" }' "$1"
}

# delta LEDGER|vmstat REGEX [FROM [TO]]: growth between two snapshots.
delta()
{
	local a b

	a=$(sum "$TMP/${3:-before}/$1" "$2")
	b=$(sum "$TMP/${4:-after}/$1" "$2")
	if is_number "$a" && is_number "$b"; then
		echo $((b - a))
	else
		echo missing
	fi
}

ANY_PAGES='[a-z_]*\.(anon|shmem)\.[a-z]*\.pages'

# check_charged ORIGIN TYPE KIND LEAST: all reclaim writes between the two
# snapshots have this origin, at least so many of them this type and kind. (A
# task also has a stack and data; they are swapped as what they are.) 3 checks.
# shellcheck disable=SC2034
CHARGED=3
check_charged()
{
	check_num "$1.$2.$3.pages has the writes" "$(delta writes "$1\\.$2\\.$3\\.pages")" -ge "$4"
	check_eq "no other origin has any" "$(delta writes "$ANY_PAGES")" \
		"$(delta writes "$1\\.(anon|shmem)\\.[a-z]*\\.pages")"
	check_eq "nr_vmscan_write grew by as much" "$(delta vmstat nr_vmscan_write)" \
		"$(delta writes 'total\.pages')"
	show_writes
}

# check_only ORIGIN TYPE KIND LEAST: and all of them are of that type and kind.
# shellcheck disable=SC2034
ONLY=$((CHARGED + 1))
check_only()
{
	check_charged "$@"
	check_eq "all of it is $2, $3" "$(delta writes "$1\\.$2\\.$3\\.pages")" \
		"$(delta writes 'total\.pages')"
}

# show_writes: the write rows that grew, as diagnostics.
show_writes()
{
	local line

	awk 'NR == FNR { old[$1] = $2; next }
		$1 ~ /\.pages$/ && $2 != old[$1] { print $1, $2 - old[$1] }' \
		"$TMP/before/writes" "$TMP/after/writes" |
	while read -r line; do
		say "  $line"
	done
}

# check_books: the ledger against vmstat, exactly. Six checks.
# shellcheck disable=SC2034
BOOKS=6
check_books()
{
	local rows='[a-z_]*\.(anon|shmem)' swpout

	check_num "there were reclaim writes" "$(delta writes 'total\.pages')" -gt 0
	check_eq "total.pages = nr_vmscan_write" \
		"$(delta writes 'total\.pages')" "$(delta vmstat nr_vmscan_write)"
	check_eq "the rows add up to total.pages" \
		"$(delta writes "$ANY_PAGES")" "$(delta writes 'total\.pages')"
	# zswap writes old entries back through the same counter, not from reclaim.
	swpout=$(delta vmstat pswpout)
	! is_number "$(delta vmstat zswpwb)" || swpout=$((swpout - $(delta vmstat zswpwb)))
	check_eq "io + sync = pswpout" "$(delta writes "$rows\\.(io|sync)\\.pages")" "$swpout"
	check_eq "zswap = zswpout" \
		"$(delta writes "$rows\\.zswap\\.pages")" "$(delta vmstat zswpout)"
	check_eq "zero = swpout_zero" \
		"$(delta writes "$rows\\.zero\\.pages")" "$(delta vmstat swpout_zero)"
	say "reclaim wrote $(delta writes 'total\.pages') pages," \
		"direct $(delta writes 'direct\.(anon|shmem)\..*\.pages')," \
		"kswapd $(delta writes 'kswapd\.(anon|shmem)\..*\.pages')"
}

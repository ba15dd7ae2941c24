# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # what deltas sets
#
# The module's ledgers, and the kernel's own counters to compare them with. A row that is not there
# reads as "missing", which no check but check_missing accepts.

LEDGER=/sys/kernel/debug/reclaimwb
# shellcheck disable=SC2034
ORIGINS="kswapd direct memcg_max memcg_high memcg_reclaim memcg_soft node madvise writer other lost"

# row LEDGER KEY: prints the current value of the row.
row()
{
	awk -v k="$2" '$1 == k { sub(/^[^ ]* /, ""); print; n++ }
		END { if (n != 1) print "missing" }' "$LEDGER/$1"
}

# vm_writes: prints what reclaim has written so far, and what is under writeback, which comes last.
vm_writes()
{
	echo 1 > /proc/sys/vm/stat_refresh
	awk '/^(nr_vmscan_write|pswpout|zswpwb|zswpout|swpout_zero) / { printf "%s ", $2 }
		/^nr_writeback / { w = $2 } END { print w }' /proc/vmstat
}

# is_idle STATE END: does the output of the function STATE stay the same for 0.3 s, and end with
# END?
is_idle()
{
	local state

	state=$("$1")
	sleep 0.3
	[ "$state" = "$("$1")" ] || return 1
	case $state in
	*"$2") ;;
	*) return 1 ;;
	esac
}

quiesce()
{
	loop_until 100 is_idle vm_writes " 0" || say "memory did not become quiet in 40 s"
}

# Counters of what reclaim wrote, and of what zswap wrote back.
WRITTEN='^(nr_vmscan_write|zswpwb) '

# snap NAME: saves all ledgers and vmstat, and leaves a mark in a trace that is running.
snap()
{
	local f

	mkdir -p "$TMP/$1"
	# If reclaim writes between the first reading and the last, all of them are read again.
	for _ in 1 2 3 4 5 6 7 8; do
		# This folds the deltas of the CPUs. Only then are the counters of nodes exact.
		echo 1 > /proc/sys/vm/stat_refresh
		cat /proc/vmstat > "$TMP/$1/vmstat"
		for f in status writes headroom cgroups helper handoff; do
			[ ! -e "$LEDGER/$f" ] || cat "$LEDGER/$f" > "$TMP/$1/$f"
		done
		trace_mark "snap $1"
		echo 1 > /proc/sys/vm/stat_refresh
		[ "$(grep -E "$WRITTEN" /proc/vmstat)" != "$(grep -E "$WRITTEN" "$TMP/$1/vmstat")" ] || break
	done
}

# sum FILE REGEX: prints the sum of the rows whose whole key matches. (busybox awk cannot print more
# than 31 bits with %d.)
sum()
{
	awk -v re="^($2)\$" '$1 ~ re { s += $2; n++ }
		END { if (n) printf "%.0f\n", s; else print "missing" }' "$1"
}

# deltas NAME=LEDGER|vmstat:REGEX...: sets d_NAME to the growth of those rows between the snapshots
# "before" and "after", or to "missing". One awk does it for all of them: a kernel with checkers
# takes 50 ms for a fork.
deltas()
{
	local set

	# If awk failed, the checks would see the values of an earlier call.
	set=$(awk -v dir="$TMP" '
		function add(i, sign, path) {
			while ((getline < path) > 0) {
				if ($1 !~ re) continue
				sum[i] += sign * $2
				rows[i, sign]++
			}
			close(path)
		}
		BEGIN {
			for (i = 1; i < ARGC; i++) {
				eq = index(ARGV[i], "="); colon = index(ARGV[i], ":")
				file = substr(ARGV[i], eq + 1, colon - eq - 1)
				re = "^(" substr(ARGV[i], colon + 1) ")$"
				add(i, 1, dir "/after/" file)
				add(i, -1, dir "/before/" file)
				printf "d_%s=%s\n", substr(ARGV[i], 1, eq - 1),
					rows[i, 1] && rows[i, -1] ? sprintf("%.0f", sum[i]) : "missing"
			}
		}' "$@") || bail "awk cannot compare the snapshots"
	eval "$set"
}

# delta LEDGER|vmstat REGEX: prints the growth.
delta()
{
	local d_one

	deltas "one=$1:$2"
	echo "$d_one"
}

ANY_PAGES='[a-z_]*\.(anon|shmem)\.[a-z]*\.pages'

# check_charged ORIGIN TYPE KIND LEAST: checks that all writes by reclaim between the two snapshots
# have this origin, and that at least LEAST pages of them have this type and kind. (The stack and
# data of a task are swapped, too, with types and kinds of their own.) Makes 3 checks.
# shellcheck disable=SC2034
CHARGED=3
check_charged()
{
	deltas "charged=writes:$1\\.$2\\.$3\\.pages" "all=writes:$ANY_PAGES" \
		"origin=writes:$1\\.(anon|shmem)\\.[a-z]*\\.pages" \
		"total=writes:total\\.pages" "vmscan=vmstat:nr_vmscan_write"
	check_num "$1.$2.$3.pages has the writes" "$d_charged" -ge "$4"
	check_eq "no other origin has a write" "$d_all" "$d_origin"
	check_eq "nr_vmscan_write grew by as much" "$d_vmscan" "$d_total"
	show_writes
}

# check_only ORIGIN TYPE KIND LEAST: also checks that all writes have that type and kind.
# shellcheck disable=SC2034
ONLY=$((CHARGED + 1))
check_only()
{
	check_charged "$@"
	check_eq "every write is $2, $3" "$d_charged" "$d_total"
}

# show_writes: shows the rows of the write ledger that grew.
show_writes()
{
	awk 'NR == FNR { old[$1] = $2; next }
		$1 ~ /\.pages$/ && $2 != old[$1] { print $1, $2 - old[$1] }' \
		"$TMP/before/writes" "$TMP/after/writes" | show_lines "  "
}

# show_rows FILE SKIP: shows the rows that are not 0, several on a line, without keys that match
# SKIP.
show_rows()
{
	awk -v skip="$2" '$1 ~ skip { next }
		$2 != 0 { line = line " " $1 "=" $2 }
		length(line) > 150 { print line; line = "" }
		END { print line }' "$1" | show_lines "  "
}

# check_books: compares the ledger with vmstat, to the page. Makes 6 checks.
# shellcheck disable=SC2034
BOOKS=6
check_books()
{
	local rows='[a-z_]*\.(anon|shmem)'

	deltas "total=writes:total\\.pages" "vmscan=vmstat:nr_vmscan_write" \
		"all=writes:$ANY_PAGES" "io=writes:$rows\\.(io|sync|failed)\\.pages" \
		"swpout=vmstat:pswpout" "zswpwb=vmstat:zswpwb" \
		"zswap=writes:$rows\\.zswap\\.pages" "zswpout=vmstat:zswpout" \
		"zero=writes:$rows\\.zero\\.pages" "swpout_zero=vmstat:swpout_zero" \
		"direct=writes:direct\\.(anon|shmem)\\..*\\.pages" \
		"kswapd=writes:kswapd\\.(anon|shmem)\\..*\\.pages"
	check_num "there were reclaim writes" "$d_total" -gt 0
	check_eq "total.pages = nr_vmscan_write" "$d_total" "$d_vmscan"
	check_eq "the rows add up to total.pages" "$d_all" "$d_total"
	# zswap writes old entries back by the same counter, but not from reclaim.
	! is_number "$d_zswpwb" || d_swpout=$((d_swpout - d_zswpwb))
	check_eq "io + sync + failed = pswpout" "$d_io" "$d_swpout"
	check_eq "zswap = zswpout" "$d_zswap" "$d_zswpout"
	check_eq "zero = swpout_zero" "$d_zero" "$d_swpout_zero"
	say "reclaim wrote $d_total pages, direct $d_direct, kswapd $d_kswapd"
}

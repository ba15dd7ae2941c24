# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The stall ledger, and the kernel's own numbers to compare it with.

# shellcheck disable=SC2034
STALL_ORIGINS="direct memcg_max memcg_high memcg_reclaim node other"

# The same as a regular expression.
STALL_ORIGIN="($(echo "$STALL_ORIGINS" | tr ' ' '|'))"

# same_again NAME...: reads ledgers into $TMP. Are they what they were there before?
same_again()
{
	local f rc=0

	for f in "$@"; do
		cat "$LEDGER/$f" > "$TMP/$f.now" || return 1
		cmp -s "$TMP/$f" "$TMP/$f.now" || rc=1
		mv "$TMP/$f.now" "$TMP/$f"
	done
	return $rc
}

# settle NAME...: reads ledgers into $TMP until they stand still. Even cat may stall.
settle()
{
	loop_until 100 same_again "$@"
}

# take_stalls: reads the three files of the ledger, for the functions below.
take_stalls()
{
	settle stalls stalls_cgroups stalls_longest
}

# stalled REGEX [FILE]: prints the sum of these rows.
stalled()
{
	sum "$TMP/${2:-stalls}" "$1"
}

# stalls_so_far [ORIGIN]: prints how many stalls have ended, of all origins if none is given. It
# reads the ledger, so that it can be polled.
stalls_so_far()
{
	sum "$LEDGER/stalls" "${1:-$STALL_ORIGIN}\\.stalls"
}

# enough_stalls [ORIGIN]: are there so many that a share of their time does not depend on luck?
ENOUGH_STALLS=100
! is_debug_kernel || ENOUGH_STALLS=30
enough_stalls()
{
	[ "$(stalls_so_far "$@")" -ge "$ENOUGH_STALLS" ]
}

direct_stalls()
{
	enough_stalls direct
}

# show_parts ORIGIN: shows the causes of its stalls, the longest first, in ms.
show_parts()
{
	say "  $1: $(stalled "$1\\.stalls") stalls, $(($(stalled "$1\\.ns") / 1000000)) ms:"
	awk -v o="$1." 'index($1, o "part.") == 1 && $1 ~ /\.ns$/ && $2 > 0 {
			sub(/.*part\./, "", $1); sub(/\.ns$/, "", $1); print $2, $1 }' "$TMP/stalls" |
	sort -rn | head -n 6 | while read -r ns cause; do
		say "    $cause $((ns / 1000000)) ms"
	done
}

# of_stalls ORIGIN CAUSE...: prints the share of these causes in the time of its stalls, in per
# cent.
of_stalls()
{
	local all causes origin="$1"

	all=$(stalled "$origin\\.ns")
	shift
	causes=$(echo "$*" | tr ' ' '|')
	[ "$all" != 0 ] || all=1
	echo $(($(stalled "$origin\\.part\\.($causes)\\.ns") * 100 / all))
}

# of_waits ORIGIN CAUSE...: prints the share of these causes in the time that its stalls waited, in
# per cent. A slow machine has little CPU time, and a debug kernel needs much.
of_waits()
{
	local waits causes origin="$1"

	shift
	causes=$(echo "$*" | tr ' ' '|')
	waits=$(($(stalled "$origin\\.ns") - $(stalled "$origin\\.part\\.(unexplained|scan|shrinker|runqueue|tlb)\\.ns")))
	[ "$waits" != 0 ] || waits=1
	echo $(($(stalled "$origin\\.part\\.($causes)\\.ns") * 100 / waits))
}

# part ORIGIN CAUSE: prints ns.
part()
{
	stalled "$1\\.part\\.$2\\.ns"
}

# At most this share of a stall, in per cent, may have no cause.
UNEXPLAINED=10

# check_few_unexplained TEXT ORIGIN: if the host does not run a virtual CPU, no cause has that time.
# If all stalls together are short, one such pause is many per cent.
check_few_unexplained()
{
	local luck=

	[ "$(stalled "$2\\.ns")" -ge 2000000000 ] || luck=by_chance
	$luck check_num "$1" "$(of_stalls "$2" unexplained)" -lt "$UNEXPLAINED"
}

# check_stall_books WHAT ORIGIN LEAST: checks that there are at least that many stalls of the
# origin, and that their time is accounted for. Makes 7 checks.
# shellcheck disable=SC2034
STALL_BOOKS=7
check_stall_books()
{
	local o sums=1 hists=1

	check "$1: the ledger can be read" take_stalls
	check_num "$1: stalls of origin $2" "$(stalled "$2\\.stalls")" -ge "$3"
	for o in $STALL_ORIGINS; do
		equal "$(stalled "$o\\.ns")" "$(stalled "$o\\.part\\.[a-z_]*\\.ns")" || sums=0
		[ "$(stalled "$o\\.stalls")" = 0 ] ||
			equal "$(stalled "$o\\.stalls")" "$(stalled "$o\\.hist\\.us\\.[0-9]+")" || hists=0
	done
	check_eq "$1: the parts sum to the wall time, to the nanosecond" $sums 1
	check_eq "$1: the histogram has each stall" $hists 1
	check_eq "$1: the cgroups sum to the same" \
		"$(stalled 'cgroup(_v1)?\.[0-9]+\.ns|(other|removed)\.0\.ns' stalls_cgroups)" \
		"$(stalled "$STALL_ORIGIN\\.ns")"
	check_few_unexplained "$1: per cent of $2 unexplained" "$2"
	awk '/^(lost|context\.functions)\./ && $2 > 0' "$LEDGER/status" | show_lines "  "
	if is_debug_kernel; then
		# The checkers probe and trace, too, so that not every call can be followed.
		check_eq "$1: no stall was lost" "$(sum "$LEDGER/status" 'lost\.(stalls|longest)')" 0
	else
		check_eq "$1: no stall was lost" "$(sum "$LEDGER/status" 'lost\.(stalls|longest|calls)')" 0
	fi
	show_parts "$2"
}

# check_unexplained WHAT: looks at all stalls, of any origin. enough_stalls must have been true.
# Makes 3 checks.
# shellcheck disable=SC2034
UNEXPLAINED_CHECKS=3
check_unexplained()
{
	check "$1: the ledger can be read" take_stalls
	check_num "$1: tasks stalled" "$(stalled "$STALL_ORIGIN\\.stalls")" -ge "$ENOUGH_STALLS"
	check_few_unexplained "$1: per cent of all stalls unexplained" "$STALL_ORIGIN"
}

# check_traced CGROUP: checks that the trace has each of its stalls. Makes 4 checks.
# shellcheck disable=SC2034
TRACED_CHECKS=4
check_traced()
{
	local own="cgroup\\.$1" n us events sum wrong

	n=$(stalled "$own\\.stalls" stalls_cgroups)
	us=$(($(stalled "$own\\.ns" stalls_cgroups) / 1000))
	# The parts stand between the time of a stall and its order.
	awk -v cgroup="cgroup=$1" '
		/ stall: / && index($0 " ", " " cgroup " ") {
			for (i = 1; $i !~ /^usecs=/; i++);
			us = substr($i, 7) + 0; sum += us; n++
			for (k = parts = 0; $(++i) !~ /^order=/; k++) {
				split($i, part, "=")
				parts += part[2]
			}
			# Each part is rounded down.
			if (parts > us || parts + k + 1 < us) {
				wrong++
				print parts, "us of parts in", $0 > "/dev/stderr"
			}
		}
		END { printf "%d %.0f %d\n", n, sum, wrong }' "$INSTANCE/trace" > "$TMP/traced" 2> "$TMP/traced.wrong"
	read -r events sum wrong < "$TMP/traced"
	check_eq "the trace has every event" "$(trace_lost)" 0
	check_eq "the trace has each stall of the cgroup" "$events" "$n"
	check "the trace has their time, $sum of $us us" [ "$sum" -le "$us" -a "$((sum + n))" -ge "$us" ]
	check_eq "the parts of each sum to its time" "$wrong" 0
	show_lines "" < "$TMP/traced.wrong"
}

# check_longest: checks that the longest stalls are whole, and that the longest one comes first.
# Makes 2 checks. (nbd.PHASE is no part of its own: it says what a part waited for.)
# shellcheck disable=SC2034
LONGEST=2
check_longest()
{
	local longest

	longest=$(awk '$1 ~ /\.longest\.ns$/ && $2 > n { n = $2 } END { printf "%.0f\n", n }' \
		"$TMP/stalls")
	check_eq "the longest stall was kept" \
		"$(sed -n '1s/.* ns=\([0-9]*\) .*/\1/p' "$TMP/stalls_longest")" "$longest"
	check_eq "the parts of each kept stall sum to its length" "$(awk '{
			sum = 0; ns = 0
			for (i = 2; i <= NF && $i !~ /^comm=/; i++) {
				split($i, kv, "=")
				if (kv[1] == "ns") ns = kv[2]
				else if (kv[1] !~ /^nbd\.|^(began|origin|order|gfp|nid|pid|cgroup|scanned|freed|inactive_file|inactive_anon|dirty)$/)
					sum += kv[2]
			}
			if (sum != ns || !ns) bad++
		} END { print NR ? bad + 0 : "none" }' "$TMP/stalls_longest")" 0
}

# reclaim_counters NAME: writes what direct reclaim counts in /proc/vmstat to $TMP/NAME.
reclaim_counters()
{
	echo 1 > /proc/sys/vm/stat_refresh
	awk '/^allocstall_/ { a += $2 } /^pgscan_direct / { s = $2 } /^pgsteal_direct / { f = $2 }
		END { print a, s, f }' /proc/vmstat > "$TMP/$1"
}

# slabs_freed: prints how many pages shrinkers freed for direct reclaim.
slabs_freed()
{
	awk '$1 ~ /^shrinker\.[0-9]+\.origin$/ { split($1, k, "."); direct[k[2]] = $2 == "direct" }
		$1 ~ /^shrinker\.[0-9]+\.freed\.pages$/ { split($1, k, "."); n[k[2]] = $2 }
		$1 == "other.freed.pages" { s = $2 }
		END { for (i in n) if (direct[i]) s += n[i]; printf "%.0f\n", s }' "$LEDGER/shrinkers"
}

# check_counters: compares the stalls with these counters, between "before" and "after". Makes 4
# checks.
# shellcheck disable=SC2034
COUNTERS=4
check_counters()
{
	local a0 s0 f0 a1 s1 f1

	read -r a0 s0 f0 < "$TMP/before"
	read -r a1 s1 f1 < "$TMP/after"
	# A stall may reclaim more than once.
	check_num "allocstall covers the stalls" "$((a1 - a0))" -ge "$(stalled 'direct\.stalls')"
	check_eq "pgscan_direct is what the stalls scanned" "$(stalled 'direct\.scanned\.pages')" \
		"$((s1 - s0))"
	# The stalls also freed pages of slabs.
	check_num "pgsteal_direct is no more than they freed" "$(stalled 'direct\.freed\.pages')" -ge \
		"$((f1 - f0))"
	if is_debug_kernel; then
		skip_checks 1 "KASAN frees what it has kept for a while in any task"
	else
		# RCU's callbacks free slabs on the account of the task that they interrupt
		# (mm_account_reclaimed_pages()).
		check_num "with slabs that shrinkers freed it is no less" "$(stalled 'direct\.freed\.pages')" -le \
			"$(((f1 - f0) * 21 / 20 + $(slabs_freed)))"
	fi
}

# psi KIND FILE: prints the microseconds of pressure so far.
psi()
{
	sed -n "s/^$1 .*total=//p" "$2"
}

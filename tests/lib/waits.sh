# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The ledger of waits, and the kernel's own numbers to compare it with: PSI for a cgroup, and delay
# accounting for a task.

# take_waits: reads the ledger, for the functions below.
take_waits()
{
	settle waits waits_cgroups
}

# waited REGEX: prints the sum of the rows whose whole key matches, or 0 if there is none.
waited()
{
	waited_in waits "$1"
}

# waited_of NAME REGEX: prints the same for a cgroup.
waited_of()
{
	waited_in waits_cgroups "cgroup\\.$(cg_id "$1")\\.($2)"
}

waited_in()
{
	awk -v re="^($2)\$" '$1 ~ re { s += $2 } END { printf "%.0f\n", s }' "$TMP/$1"
}

# share PART WHOLE: prints it in per cent, rounded. The share of nothing is 0, but of no number there
# is none.
share()
{
	if is_number "$1" && is_number "$2"; then
		awk -v p="$1" -v w="$2" 'BEGIN { printf "%.0f\n", (w > 0 ? p * 100 / w : 0) }'
	else
		echo missing
	fi
}

# psi_us NAME: prints how long the kernel says that some task of the cgroup was stalled for memory.
psi_us()
{
	sed -n 's/^some .*total=//p' "$CG/$1/memory.pressure"
}

# stat_of NAME FILE KEY: prints a value of a cgroup's file.
stat_of()
{
	awk -v k="$3" '$1 == k { print $2 }' "$CG/$1/$2"
}

# show_waits: shows what is in the ledger.
show_waits()
{
	awk '$1 ~ /^[a-z_]*\.waits$/ && $2 > 0 || $1 ~ /^[a-z_]*(\.psi)?\.ns$/ && $2 > 0 ||
		$1 ~ /limit|refaults|^device|^(state|psi|dirty)$|task/ { print }' "$TMP/waits" | show_lines "  "
}

# check_waits_books WHAT: makes 5 checks.
# shellcheck disable=SC2034
WAITS_BOOKS=5
check_waits_books()
{
	local kind ns all hists=1 sums=1

	check "$1: the ledger can be read" take_waits
	# These rows are always there. `waited` would take a missing one for 0.
	for kind in swapin refault dirty stall high io_throttle kernel unexplained; do
		equal "$(sum "$TMP/waits" "$kind\\.waits")" "$(waited "$kind\\.hist\\.us\\.[0-9]+")" || hists=0
		ns=$(sum "$TMP/waits" "$kind\\.ns")
		all=$(waited_in waits_cgroups "(cgroup(_v1)?|removed|other)\\.[0-9]+\\.$kind\\.ns")
		equal "$ns" "$all" || sums=0
	done
	check_eq "$1: the histogram has each wait" $hists 1
	check_eq "$1: the waits of the cgroups sum to all waits" $sums 1
	check_eq "$1: the cgroups have all that PSI counts" "$(waited '[a-z_]*\.psi\.ns')" \
		"$(waited_in waits_cgroups '(cgroup(_v1)?|removed|other)\.[0-9]+\.psi\.ns')"
	check_num "$1: share of what PSI counts that is unexplained, per cent" \
		"$(share "$(sum "$TMP/waits" 'unexplained\.psi\.ns')" "$(waited '[a-z_]*\.psi\.ns')")" -lt 10
	show_waits
}

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# More containers come and go than the tables of a CPU have rows. Each stalls at its limit for a
# moment, and then is gone for good. The ledgers name those that live, and lose nothing of theirs.
# Then more containers live at once than there are rows. The two that stall most, the first and the
# last, have rows, and of the others the ledgers say how much is in no row. Everything adds up, all
# the time.
# After facebookincubator/oomd#117, koordinator-sh/koordinator#1016, lxc/lxc#1443.
# guards: rust/ledgers/cgroups.rs rust/ledgers/cgroups/ rust/policy/heaviest.rs rust/probes/cgroup.rs rust/ledgers/stalls/cgroups.rs rust/ledgers/waits/ rust/ledgers/shrinkers.rs rust/shim/probes_cgroup.c
# faults: books report
# smp: 1
# mem: 256M
# tier: all (module/groups.sh and origin/memcg-max.sh have rows of cgroups, policy has the table)
# timeout: 600
# variants: base
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_tool
# The machine has one CPU (ROWS in rust/ledgers/cgroups.rs).
ROWS=256
PODS=$((ROWS + 40))
CROWD=$((ROWS + 20))
start_test plan-at-end "$PODS containers come and go, $CROWD live"
zram_swap_on 64
load_mod write_around=N

# pod NAME MIB [OPTION...]: a container swaps at its limit of 2 MiB, and its memory is right.
pod()
{
	local name="$1" mib="$2"

	shift 2
	mkdir "$CG/$name" && echo 2M > "$CG/$name/memory.max" &&
		in_cg "$CG/$name" "$BIN/memhog" -c text -m "$mib" "$@" > "$TMP/pod" 2>&1
}

gone()
{
	loop_until 50 rmdir "$CG/$1" 2> /dev/null
}

come_and_go()
{
	local i=0

	while [ $i -lt $PODS ]; do
		i=$((i + 1))
		pod "rwb-pod-$i" 3 && gone "rwb-pod-$i" || return 1
	done
}

come_and_stay()
{
	local i=0

	while [ $i -lt $CROWD ]; do
		i=$((i + 1))
		pod "rwb-crowd-$i" 3 || return 1
	done
}

crowd_goes()
{
	local i=0

	while [ $i -lt $CROWD ]; do
		i=$((i + 1))
		[ ! -d "$CG/rwb-crowd-$i" ] || gone "rwb-crowd-$i" || return 1
	done
}

lost()
{
	sum "$LEDGER/status" "lost\\.(cgroups|stall_cgroups|wait_cgroups|known_cgroups)"
}

# named FILE: prints how many cgroups have a row.
named()
{
	grep -c '^cgroup\.[0-9]*\.path ' "$LEDGER/$1"
}

# id_of FILE NAME: prints the id of the row with that path, or nothing.
id_of()
{
	sed -n "s,^cgroup\\.\\([0-9]*\\)\\.path /$2\$,\\1,p" "$LEDGER/$1"
}

# check_adds_up WHAT: checks that the writes by cgroup sum to all writes, and that no table is larger
# than it may be. Makes 4 checks. The stalls and the waits have checks of their own.
check_adds_up()
{
	quiesce
	check_eq "$1: the cgroups sum to all pages that were written" \
		"$(sum "$LEDGER/cgroups" '(cgroup(_v1)?\.[0-9]+|other|removed)\.[a-z_]+\.pages' |
			awk -v missed="$(sum "$LEDGER/cgroups" 'cgroup\.[0-9]+\.missed\.pages' | sed 's/missing/0/')" \
				'{ print $1 - missed }')" "$(row writes total.pages)"
	check_num "$1: a CPU has no more rows than there is room for" "$(named cgroups)" -le $ROWS
	check_num "$1: a CPU has no more rows of waits than there is room for" "$(named waits_cgroups)" -le $ROWS
	check_num "$1: a CPU has no more rows of shrinkers than there is room for" \
		"$(grep -c '^shrinker\.[0-9]*\.name ' "$LEDGER/shrinkers")" -le $((2 * ROWS))
}

# report SINCE: reports on the time since that snapshot, also on one line, and as JSON.
report()
{
	"$TOOL" report --since "$1" > "$TMP/report" 2> "$TMP/report.err" || {
		show_file "$TMP/report.err"
		return 1
	}
	"$TOOL" report --since "$1" --json > "$TMP/report.json" || return 1
	tr -s ' \n' ' ' < "$TMP/report" > "$TMP/report.flat"
}

echo +memory > "$CG/cgroup.subtree_control" || bail "no memory controller"
undo "for pod in $CG/rwb-*; do [ ! -d \$pod ] || rmdir \$pod; done"

check "the first container stalls most" pod rwb-first 24 -v 3
"$TOOL" snapshot -o "$TMP/first.json" || bail "no snapshot"
first=$(cg_id rwb-first)
check "others come and go: every page was right" come_and_go
section "come and gone" 2
check_stall_books "come and gone" memcg_max $PODS
section "come and gone: stalls" "$STALL_BOOKS"
check_adds_up "come and gone"
section "come and gone: writes" 4
check_waits_books "come and gone"
section "come and gone: waits" "$WAITS_BOOKS"
check_eq "no living container lost a row" "$(lost)" 0
check_num "dead containers gave their rows back: pages" \
	"$(sum "$LEDGER/cgroups" 'removed\.[a-z_]+\.pages')" -gt 0
check_num "dead containers gave their rows back: stalls" "$(row stalls_cgroups removed.0.stalls)" -gt 0
check_num "dead containers gave their rows back: waits, ns" "$(row waits_cgroups removed.0.psi.ns)" -gt 0
check_eq "the first container still has its row" "$(id_of stalls_cgroups rwb-first)" "$first"
check_eq "the first container still has its row of waits" "$(id_of waits_cgroups rwb-first)" "$first"
check_missing "its row of waits lost no time" "$(row waits_cgroups "cgroup.$first.missed.ns")"
check_missing "it is not marked as removed" "$(row stalls_cgroups "cgroup.$first.removed")"
check_missing "its row lost no time" "$(row stalls_cgroups "cgroup.$first.missed.ns")"
last=$(id_of stalls_cgroups "rwb-pod-$PODS")
check_num "the last container is named, too" "${last:-0}" -gt 0
check_eq "it is marked as removed" "$(row stalls_cgroups "cgroup.$last.removed")" 1
check "there is a report since the first one came" report "$TMP/first.json"
check "it names the last one" grep -q "\"/rwb-pod-$PODS\"" "$TMP/report.json"
check_not "it does not say that a living one lost its row" grep -q 'table ([a-z]*, by cgroup)' "$TMP/report.flat"
section "come and gone: who is told" 14

"$TOOL" snapshot -o "$TMP/gone.json" || bail "no snapshot"
check "another container comes: every page was right" pod rwb-now 12
check_eq "the ledger of stalls names it" "$(id_of stalls_cgroups rwb-now)" "$(cg_id rwb-now)"
check_eq "the ledger of writes names it" "$(id_of cgroups rwb-now)" "$(cg_id rwb-now)"
check_eq "the ledger of waits names it" "$(id_of waits_cgroups rwb-now)" "$(cg_id rwb-now)"
check "there is a report of its time" report "$TMP/gone.json"
check_num "the report names it, times" "$(grep -c '/rwb-now\>' "$TMP/report")" -ge 2
section "today's" 6
# PSI is not exact, but it is the kernel's own. It can be compared with the row.
say "rwb-now: PSI $(psi some "$CG/rwb-now/memory.pressure") us, row $(($(row stalls_cgroups "cgroup.$(cg_id rwb-now).ns") / 1000)) us"

"$TOOL" snapshot -o "$TMP/now.json" || bail "no snapshot"
check "more live than there are rows: every page was right" come_and_stay
check "one comes last that stalls much" pod rwb-late 24 -v 3
section "a crowd" 2
check_stall_books "a crowd" memcg_max $((PODS + CROWD))
section "a crowd: stalls" "$STALL_BOOKS"
check_adds_up "a crowd"
section "a crowd: writes" 4
check_waits_books "a crowd"
section "a crowd: waits" "$WAITS_BOOKS"
check_num "writes, stalls and waits whose cgroup lost its row" "$(lost)" -gt 0
check_eq "the first has its row" "$(id_of stalls_cgroups rwb-first)" "$first"
check_eq "the last has its row" "$(id_of stalls_cgroups rwb-late)" "$(cg_id rwb-late)"
check_eq "the last has its row of waits" "$(id_of waits_cgroups rwb-late)" "$(cg_id rwb-late)"
check_missing "the first cgroup's row lost no pages" "$(row cgroups "cgroup.$first.missed.pages")"
check "there is a report over all of it" report "$TMP/first.json"
check "it says that rows were lost" grep -q 'table (stalls, by cgroup)' "$TMP/report.flat"
check "there is a report of the crowd alone" report "$TMP/now.json"
check "it names the last one" grep -q '/rwb-late\>' "$TMP/report"
check "the crowd goes" crowd_goes
section "a crowd: who is told" 10
unload_mod

finish

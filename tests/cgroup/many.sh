#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# There are as many cgroups as a node of a cluster has, at the same time, each with a little memory,
# and less than it wants. Each has a row of its own, and next to nothing belongs to no cgroup.
# After canonical/lxd#2530 and facebookincubator/oomd#117; the load is that of LTP's
# testcases/kernel/controllers/memcg/stress/memcg_stress_test.sh (150 cgroups).
# guards: rust/ledgers/cgroups.rs rust/policy/heaviest.rs rust/ledgers/stalls/cgroups.rs rust/ledgers/waits/
# faults: books report
# tier: all (module/groups.sh and origin/memcg-max.sh have rows of cgroups, policy has the table)
# mem: 512M
# timeout: 600
# variants: base
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_tool
CGROUPS=150 SECONDS_EACH=20
start_test $((STALL_BOOKS + WAITS_BOOKS + 12)) "$CGROUPS cgroups"
zram_swap_on 512
echo +memory > "$CG/cgroup.subtree_control" || bail "no memory controller"
undo "for one in $CG/rwb-many-*; do loop_until 50 rmdir \$one 2> /dev/null; done"
i=0
while [ $i -lt $CGROUPS ]; do
	i=$((i + 1))
	mkdir "$CG/rwb-many-$i" || bail "cannot make cgroup $i"
	echo 1536K > "$CG/rwb-many-$i/memory.max" || bail "cannot limit cgroup $i"
done
load_mod write_around=N
"$TOOL" snapshot -o "$TMP/since.json" || bail "no snapshot"

many()
{
	local i=0 pid pids='' rc=0

	while [ $i -lt $CGROUPS ]; do
		i=$((i + 1))
		in_cg "$CG/rwb-many-$i" "$BIN/memhog" -c text -m 2 -s $i -T $SECONDS_EACH -w 400 > "$TMP/many.$i" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid" || rc=1; done
	[ $rc = 0 ]
}

# pressure: prints the cgroup that has lost most time, by PSI.
pressure()
{
	local i=0

	while [ $i -lt $CGROUPS ]; do
		i=$((i + 1))
		echo "$(psi some "$CG/rwb-many-$i/memory.pressure") rwb-many-$i"
	done | sort -rn | head -n 1
}

# pressures: prints the sum of what PSI says of the cgroups, in us. Each task is alone in its cgroup.
pressures()
{
	cat "$CG"/rwb-many-*/memory.pressure | sed -n 's/^some .*total=//p' | awk '{ s += $1 } END { printf "%.0f\n", s }'
}

check "every page was right" many
quiesce
check_stall_books "$CGROUPS cgroups" memcg_max $CGROUPS
check_waits_books "$CGROUPS cgroups"
check_eq "none of them lost a row" "$(sum "$LEDGER/status" 'lost\.(cgroups|stall_cgroups|wait_cgroups|known_cgroups)')" 0
check_missing "no cgroup lost pages of its row" "$(sum "$LEDGER/cgroups" 'cgroup\.[0-9]+\.missed\.pages')"
check_num "share of the stalls' time that belongs to no cgroup, per cent" \
	"$(($(stalled 'other\.0\.ns' stalls_cgroups) * 100 / ($(stalled "$STALL_ORIGIN\\.ns") + 1)))" -le 10
check_eq "the cgroups sum to all pages that were written" \
	"$(sum "$LEDGER/cgroups" '(cgroup\.[0-9]+|other|removed)\.[a-z_]+\.pages')" "$(row writes total.pages)"
check_num "cgroups with a row of their own" "$(grep -c 'path /rwb-many-' "$TMP/stalls_cgroups")" -ge $((CGROUPS * 9 / 10))
worst=$(pressure)
say "most pressure, in us: $worst"
check "the ledger names the one that PSI says is worst" grep -q "path /${worst#* }\$" "$TMP/stalls_cgroups"
check "the ledger of waits names it, too" grep -q "path /${worst#* }\$" "$TMP/waits_cgroups"
check_num "cgroups with a row of waits" "$(grep -c 'path /rwb-many-' "$TMP/waits_cgroups")" -ge $((CGROUPS * 9 / 10))
check_num "share of the time that PSI counts that belongs to no cgroup, per cent" \
	"$(share "$(waited_in waits_cgroups '(other|removed)\.0\.psi\.ns')" "$(waited '[a-z_]*\.psi\.ns')")" -le 10
# PSI has less of a task that changes its CPU, because it weighs the CPUs.
all=$(pressures)
ours=$(awk '$1 ~ /\.path$/ && $2 ~ /^\/rwb-many-/ { id = $1; sub(/path$/, "psi.ns", id); mine[id] }
	$1 ~ /\.psi\.ns$/ { ns[$1] = $2 } END { for (i in mine) s += ns[i]; printf "%.0f\n", s }' "$TMP/waits_cgroups")
say "PSI: $((all / 1000)) ms in all cgroups; the ledger: $((ours / 1000000)) ms"
check_num "share of PSI's time in these cgroups that the ledger has, per cent" "$(share "$ours" $((all * 1000)))" -ge 90
check "there is a report" "$TOOL" report --since "$TMP/since.json"
unload_mod

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel has no pressure figures (psi=0, the default of some distributions). The command works
# there. Both its report and `why` say that PSI is off, and how to switch it on. `why` knows the
# cgroup that stalls.
# guards: tool/src/summary.rs tool/src/system.rs tool/src/why.rs
# faults: report
# append: psi=0
# mem: 256M
# timeout: 300
# variants: base
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_tool
[ ! -e /proc/pressure/memory ] || ! grep -q total= /proc/pressure/memory || skip_all "PSI is on"
start_test 9 "a kernel without PSI"
zram_swap_on 128

# answer FILE ARGUMENT...: runs the command, and puts its output into FILE, on one line.
answer()
{
	local file="$1"

	shift
	"$TOOL" "$@" > "$TMP/out" || return 1
	tr -s ' \n' ' ' < "$TMP/out" > "$file"
}

try_load reclaimwb write_around=N handoff=never || bail "insmod: $(cat "$TMP/insmod")"
"$TOOL" snapshot -o "$TMP/since.json" || bail "no snapshot"
cg_make rwb-psi
echo 16M > "$CG/rwb-psi/memory.max"
check "a load can be recorded" "$TOOL" record -o "$TMP/rec.jsonl" -- \
	sh -c "echo 0 > $CG/rwb-psi/cgroup.procs; exec $BIN/memhog -c text -m 32 -T 5"
check "the recording can be read" "$TOOL" stalls "$TMP/rec.jsonl"
check "status answers" "$TOOL" status
check "the exporter answers" "$TOOL" export --prometheus -o "$TMP/prom"
quiesce
check "there is a report" answer "$TMP/report" report --since "$TMP/since.json"
show_file "$TMP/report"
check "the report says that PSI is off, and how to switch it on" \
	grep -q 'PSI is off (psi=0 on the kernel.s command line); boot with psi=1' "$TMP/report"
check "why answers" answer "$TMP/why" why --for 0s
grep -q 'PSI is off (psi=0' "$TMP/why" || say "$(cat "$TMP/why")"
check "it says the same of PSI" grep -q 'PSI is off (psi=0 on the kernel.s command line); boot with psi=1' "$TMP/why"
"$TOOL" why --for 0s /rwb-psi > "$TMP/cgroup" 2>&1
show_file "$TMP/cgroup"
check "why knows the cgroup, and what makes it stall" grep -q 'About cgroup /rwb-psi, from' "$TMP/cgroup"
unload_mod

finish

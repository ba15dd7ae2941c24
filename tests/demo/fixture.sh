#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest for the tool's own tests: all groups of probes are on, and there is a little of everything
# that they record. Leaves $RWB_RESULTS/before.json and after.json, from which
# tool/tests/fixtures/stalls-before.json and stalls.json were made:
#   qemu/vm.sh --variant base --mem 256M --smp 2 --nbd slow --disk 512M --out out/fixture \
#     --run demo/fixture.sh
. "$(dirname "$0")/../lib/test.sh"

RESULTS=${RWB_RESULTS:-.}
THP=/sys/kernel/mm/transparent_hugepage

save()
{
	"$TOOL" snapshot -o "$RESULTS/$1.json" 2> "$TMP/snapshot" || bail "$(cat "$TMP/snapshot")"
}

# files COUNT: makes files in a directory of their own.
files()
{
	local i=0

	mkdir -p "$MNT/d$1"
	while [ $i -lt "$1" ]; do
		echo "$i" > "$MNT/d$1/f$i" || return 1
		i=$((i + 1))
	done
}

# limited_files COUNT: a task makes files in a cgroup that has no room for them.
limited_files()
{
	cg_make rwb-files
	echo 4M > "$CG/rwb-files/memory.max"
	mkdir -p "$MNT/limited"
	# shellcheck disable=SC2016 # for the shell in the cgroup
	in_cg "$CG/rwb-files" sh -c '
		i=0; while [ $i -lt "$1" ]; do echo > "$0/f$i" || exit 1; i=$((i + 1)); done' \
		"$MNT/limited" "$1"
}

huge()
{
	echo always > $THP/enabled
	"$BIN/memhog" -A -n 2 -c text -m 48 > "$TMP/huge" 2>&1
}

limited()
{
	echo 16M > "$CG/rwb-limited/memory.max"
	in_cg "$CG/rwb-limited" "$BIN/memhog" -c text -m 20 > "$TMP/limited" 2>&1
}

need_mod
need_nbd slow
need_disk disk0
need_fs ext4
need_memcg
need_tool
start_test 7 "ledgers for the tool's tests"
load_mod tlb=Y metadata=Y takers=Y
disk_attach disk0
fs_make ext4 "$DISK"
fs_mount "$DISK"
nbd_swap_on slow
cg_make rwb-limited
set_file $THP/enabled never
set_file $THP/defrag always
check "files are made" files 1000
sync
leave_mib 96
save before
check "tasks want more than there is" "$BIN/memhog" -n 3 -c text -m 48
check "tasks want huge pages" huge
check "a cgroup is at its memory.max" limited
check "more files are made" files 2000
check "files are made in a cgroup" limited_files 6000
sync
check "tasks want more than there is again" "$BIN/swapload" -n 2 -m 60 -T 5
find "$MNT" -type f -size +1k > /dev/null
quiesce
save after
unload_mod
finish

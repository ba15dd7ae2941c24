#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading, recording, and both halves of the helper leak nothing: swap over NBD and a filesystem, with
# one queue and one ring each. kmemleak watches what is allocated; in other scenarios it is off, as it
# costs the most. It does not know of pages, so the scenario counts those that nobody uses and that
# are not free. It shares its guest with module/kunit.sh.
# guards: rust/reclaimwb_main.rs rust/helper.rs rust/helper/ rust/ledgers.rs rust/kernel_ext/ rust/shim/
# faults: lifetime memory
# nbd: fast
# disk: 256M
# append: kunit.enable=1 kunit.autorun=1 kmemleak=on
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_helper
need_memcg
need_nbd fast
need_disk disk0
need_fs ext4
need_file /proc/kpageflags CONFIG_PROC_PAGE_MONITOR
ROUNDS=1
EACH=6
start_test $((ROUNDS * EACH + 4)) "leaks"

# unused: pages of tasks, of shared memory, and of files that nobody uses and that are not free. The
# latter two can be wrong by the pages that are on their way to a list.
unused()
{
	sync
	echo 3 > /proc/sys/vm/drop_caches
	echo 1 > /proc/sys/vm/stat_refresh
	"$BIN/pagecensus" > "$TMP/census" || return 1
	awk 'FNR == NR { n[$1] = $2; next }
		{ v[$1] = $2 }
		END { print n["anon"], n["shmem"] - v["nr_shmem"],
			n["file"] - (v["nr_file_pages"] - v["nr_shmem"] - v["nr_swapcached"]) }' \
		"$TMP/census" /proc/vmstat
}

# none_unused: are there no more of each kind than there were?
none_unused()
{
	NOW=$(unused)
	echo "$BEFORE $NOW" | awk '{ exit !($4 <= $1 && $5 <= $2 && $6 <= $3) }'
}

loads=0
while [ "$loads" -lt 2 ]; do
	load_mod
	cat "$LEDGER"/* > "$TMP/ledgers"
	unload_mod
	loads=$((loads + 1))
done

keeps_pages
disk_attach disk0
DEV=$DISK
nbd_attach fast
mkswap "$NBD_DEV" > /dev/null || bail "mkswap $NBD_DEV"
undo "! grep -q '^$NBD_DEV ' /proc/swaps || swapoff $NBD_DEV"
around_cg rwb-leaks 8
BEFORE=$(unused)
say "pages that nobody uses, of tasks, shared memory, and files: $BEFORE"
check "pages can be counted" test -n "$BEFORE"
for round in $(seq $ROUNDS); do
	load_mod handoff=always
	loads=$((loads + 1))
	swapon "$NBD_DEV" || bail "swapon $NBD_DEV"
	fs_new ext4 "$DEV"
	# Each load wants twice what the cgroup may have.
	around_cg_limit 8
	file_in "$ACG" write -p 1024 -o random -g "$round" "$MNT/file" || bail "cannot write"
	around_meets 2
	around_met
	check "round $round: write-around ends" around_quiet
	check_num "round $round: it wrote targets" "$(around written.folios)" -gt 0
	hog_in "$ACG" anon -c text -m "$(scaled 16)"
	hog_filled anon
	check "round $round: tasks' pages are right" hog_done anon
	hog_in "$ACG" shmem -c text -t shmem -m "$(scaled 16)"
	hog_filled shmem
	check "round $round: shared ones are, too" hog_done shmem
	check "round $round: handoff ends" handoff_quiet
	check_num "round $round: it wrote requests" "$(handoff written.requests)" -gt 0
	rm "$MNT"/file*
	unload_mod
	fs_umount "$DEV"
	swapoff "$NBD_DEV" || bail "swapoff $NBD_DEV"
done
# The last pages may still be on their way.
check "no more pages are used by nobody than before" loop_until 100 none_unused
say "afterwards: $NOW"

load_mod
brd_swap_on 64
check "workload runs" "$BIN/memhog" -p -c text -m "$(scaled 16)"
quiesce
unload_mod
leaks=$(leak_scan)
if [ "$leaks" = "kmemleak is off" ]; then
	skip_checks 1 "no kmemleak, or it is off"
else
	check_eq "kmemleak after $((loads + 1)) loads" "$leaks" clean
fi

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A task reads its memory back from a slow swap disk, while memory is not short any more. The ledger
# of waits has its major faults, by cgroup, task and device. PSI counts nothing for pages that were
# not active, and the ledger says how much of a wait PSI has.
# After earlyoom#100, nbd#129.
# guards: rust/ledgers/waits.rs rust/probes/wait.rs rust/ledgers/swap_reads.rs rust/probes/block.rs rust/shim/wait.c
# faults: books arithmetic report
# disk: 512M
# mem: 384M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_memcg
need_disk disk0
need_dm delay
MIB=$(scaled 16)
start_test plan-at-end "a task that reads its memory from swap"
disk_attach disk0
UNDER=$DISK
dm_make rwb-swapin "$UNDER"
mkswap "$DISK" > /dev/null || bail "mkswap"
load_mod
cg_make rwb-swapin
swap_on "$DISK"
hog_in "$CG/rwb-swapin" reader -p -r -c random -m "$MIB"
hog_filled reader
quiesce
# The pages were written, but are still in the swap cache: the disk was not done when they were
# paged out.
echo "${MIB}M" > "$CG/rwb-swapin/memory.reclaim" 2> /dev/null
# From now on a read takes 4 ms.
dm_table rwb-swapin "$UNDER" slow 4 || bail "no slow disk"
psi=$(psi_us rwb-swapin) major=$(stat_of rwb-swapin memory.stat pgmajfault)
check "the swapped memory is right" hog_done reader
psi=$(($(psi_us rwb-swapin) - psi)) major=$(($(stat_of rwb-swapin memory.stat pgmajfault) - major))
check_waits_books "swap-in"
waits=$(waited_of rwb-swapin 'swapin\.waits') ns=$(waited_of rwb-swapin 'swapin\.ns')
say "$major major faults; the ledger: $waits waits, $((ns / 1000000)) ms; PSI: $((psi / 1000)) ms, of which the ledger has $(($(waited_of rwb-swapin 'psi\.ns') / 1000000)) ms"
check_num "there were major faults" "$major" -ge 100
check_num "each of them waited" "$waits" -ge "$major"
check_num "their time, in per cent of what the disk takes" "$(share "$ns" $((major * 4000000)))" -ge 90
check_num "share of all waits for swap that the cgroup has, per cent" "$(share "$ns" "$(waited 'swapin\.ns')")" -ge 90
dev=$(bdi_of "$DISK")
check_num "share that the device has, per cent" "$(share "$(waited "device\\.$dev\\.swapin\\.ns")" "$(waited 'swapin\.ns')")" -ge 90
check_num "share that named tasks have, per cent" "$(share "$(waited 'swapin\.task\.[0-9]+\.ns')" "$(waited 'swapin\.ns')")" -ge 99
check_eq "no cgroup is at a limit" "$(waited 'swapin\.limit\.(max|high)\.ns')" 0
check_num "PSI has no more than the ledger says that it has, us" "$psi" -le $(($(waited_of rwb-swapin 'psi\.ns') * 11 / 10000 + 1000))
section "a slow disk" $((WAITS_BOOKS + 9))
swapoff "$DISK" || bail "swapoff $DISK"
# swap_reads: requests. Linux 7.2 does not count them, but reads each page (of one size here) by itself.
swap_reads()
{
	local n

	n=$(vmstat nrswpin)
	echo "${n:-$(vmstat pswpin)}"
}

# at_once: if a device has read the page when the call returns, one read in 16 is followed, and
# counts for all of them. So up to 32 reads may not be counted yet, on each of two CPUs.
at_once()
{
	local reads waits before of left=$((2 * 32))

	brd_swap_on 64 || bail "no RAM disk"
	take_waits
	before=$(waited 'swapin\.waits') of=$(waited_of rwb-swapin 'swapin\.waits')
	hog_in "$CG/rwb-swapin" quick -p -r -c random -m 16
	hog_filled quick
	quiesce
	reads=$(swap_reads)
	check "the memory on a RAM disk is right" hog_done quick
	reads=$(($(swap_reads) - reads))
	check_waits_books "RAM disk"
	waits=$(($(waited 'swapin\.waits') - before))
	say "$reads reads; the ledger: $waits waits"
	check_num "it was read often" "$reads" -ge 1000
	check_num "each read is counted" "$waits" -ge $((reads - left))
	check_num "no more are counted" "$waits" -le $((reads + left))
	check_num "share of them that the cgroup has, per cent" \
		"$(share $(($(waited_of rwb-swapin 'swapin\.waits') - of)) "$waits")" -ge 95
	section "a RAM disk" $((WAITS_BOOKS + 5))
}

at_once
unload_mod
finish

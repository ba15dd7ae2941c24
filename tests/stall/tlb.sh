#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Reclaim interrupts other CPUs to flush their TLBs: for each dirty page of tasks that run there,
# once for many clean pages, and not at all for files that nobody has mapped.
# guards: rust/ledgers/tlb.rs rust/probes/tlb.rs rust/rows/tlb.rs
# faults: books
# disk: 512M
# mem: 384M
# smp: 2
# variant-skip: debug (slow there; module/groups.sh runs these probes under the checkers)
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_disk disk0
need_fs ext4
[ "$(grep -c '^processor' /proc/cpuinfo)" -ge 2 ] || skip_all "there is no other CPU"
grep -q '^nr_tlb_remote_flush ' /proc/vmstat || skip_all "no CONFIG_DEBUG_TLBFLUSH"
M=$(scaled 128)
start_test $((17 + UNEXPLAINED_CHECKS)) "TLB flushes of other CPUs"
disk_attach disk0
fs_make ext4 "$DISK"
fs_mount "$DISK"
check "there is a file" "$BIN/benchload" fill "$MNT/file" 300
sync
leave_mib "$M"

flushes()
{
	sum "$LEDGER/tlb" "($1)\\.($2)\\.$3"
}

reclaimed()
{
	sum "$LEDGER/tlb" '(direct|kswapd)\.freed\.pages'
}

read_file()
{
	cat "$MNT/file" > /dev/null
}

# map_file: two tasks read the file by mappings, so that clean pages are mapped, until reclaim freed
# some.
map_file()
{
	local pids pid

	for _ in 1 2 3 4 5 6 7 8; do
		pids=''
		for _ in 1 2; do
			"$BIN/benchload" -c 2 map "$MNT/file" 300 > /dev/null 2>&1 &
			pids="$pids $!"
		done
		for pid in $pids; do
			wait "$pid" || return 1
		done
		[ "$(flushes 'direct|kswapd' clean asked)" = 0 ] || return 0
	done
	return 1
}

interrupted()
{
	enough_stalls && [ "$(flushes 'direct|kswapd' dirty ipis)" -gt 100 ]
}

load_mod write_around=N handoff=never
check_eq "the ledger is off by default" "$(row tlb state)" off
check "a file is read that does not fit into memory" read_file
check_eq "nothing is counted while the ledger is off" "$(flushes '[a-z_]*' '[a-z]*' asked)" 0
echo 3 > /proc/sys/vm/drop_caches
remote=$(vmstat nr_tlb_remote_flush)
echo Y > "$PARAMS/tlb"
check_eq "the parameter switches it on" "$(row tlb state)" on

check "the file is read again" read_file
quiesce
check_num "reclaim freed pages of it" "$(reclaimed)" -gt 1000
check_eq "it interrupted nobody, as the file is not mapped" "$(flushes '(direct|kswapd)' '[a-z]*' ipis)" 0

freed=$(reclaimed)
check "two tasks read the file by mappings" map_file
quiesce
clean=$(flushes 'direct|kswapd' clean ipis) freed=$(($(reclaimed) - freed))
check_num "reclaim asked for flushes of clean pages" "$(flushes 'direct|kswapd' clean asked)" -gt 0
check_num "it interrupts once for many: times for 1000 freed pages" "$((1000 * clean / (freed + 1)))" -lt 500

# Swap comes only now: with swap, reading a file may push out a page that a shell has mapped.
zram_swap_on 512
check "two tasks want more than there is" press_until 120 interrupted -n 2 -c text -m $((M * 3 / 4))
quiesce
remote=$(($(vmstat nr_tlb_remote_flush) - remote))
dirty=$(flushes 'direct|kswapd' dirty ipis) asked=$(flushes 'direct|kswapd' dirty asked)
check_num "other CPUs were interrupted for dirty pages" "$dirty" -gt 100
check_num "reclaim asked more often for flushes" "$asked" -ge "$dirty"
check_num "the flushes took time" "$(flushes 'direct|kswapd' dirty ns)" -gt 0
check_num "the kernel counted as many interrupts, or more" "$remote" -ge "$(flushes '[a-z_]*' '[a-z]*' ipis)"
say "$dirty interrupts for $asked dirty pages; $clean for $freed clean ones freed, $(flushes 'direct|kswapd' other ipis) for others"
check_num "a dirty page costs more interrupts than a clean one" "$((dirty * (freed + 1)))" -gt \
	"$((clean * asked))"
check_unexplained "TLB flushes"
unload_mod

finish

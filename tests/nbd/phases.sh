#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Swap over NBD: where does the time of each request go? If the server takes its time, it is the
# server's. If several tasks send at once, some wait for others. The ledger is compared with the
# device's own counters, and the pages of swap's batches with pswpout.
# guards: rust/ledgers/nbd.rs rust/ledgers/batches.rs rust/probes/nbd.rs rust/rows/nbd.rs rust/rows/batches.rs rust/shim/probes_nbd.c rust/shim/nbd.rs rust/entry/nbd.rs rust/tables/farthest.rs
# faults: books arithmetic
# nbd: fast delay:rdelay=20ms,wdelay=200ms slow:--threads=1 disk:wdelay=50ms
# mem: 384M
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_nbd fast
MIB=$(scaled 12)
start_test plan-at-end "phases of NBD requests"
PHASES='lock|header|payload|server|reply|requeued'

# ledger FILE REGEX: prints the sum of these rows.
ledger()
{
	sum "$LEDGER/$1" "$2"
}

# nbd REGEX: prints the sum of the device's rows.
nbd()
{
	ledger nbd "device\\.nbd0\\.($1)"
}

# spent DIRECTION PHASES: prints the share of these phases in its time, in per cent. Both are
# regular expressions.
spent()
{
	local all

	all=$(nbd "$1\\.phase\\.($PHASES)\\.ns")
	[ "$all" != 0 ] || all=1
	echo $(($(nbd "$1\\.phase\\.($2)\\.ns") * 100 / all))
}

# ms_to_send: prints how long it took to send a write, on average.
ms_to_send()
{
	echo $(($(nbd 'write\.phase\.(lock|header|payload)\.ns') / $(nbd 'write\.requests') / 1000000))
}

# device_did: prints reads, their sectors, writes and their sectors, as the device counts them.
device_did()
{
	awk '{ print $1, $3, $5, $7 }' "/sys/block/${NBD_DEV##*/}/stat"
}

# since OLD NEW...: prints NEW minus OLD, word by word.
since()
{
	echo "$1 $2" | awk '{ n = NF / 2
		for (i = 1; i <= n; i++) printf "%s%d", (i > 1 ? " " : ""), $(i + n) - $i
		print "" }'
}

nothing_in_flight()
{
	[ "$(nbd '(read|write|other)\.inflight')" = 0 ]
}

# tasks N: that many tasks page out their memory, all at once, and verify it.
tasks()
{
	local i rc=0

	for i in $(seq "$1"); do
		hog_start "hog$i" -c random -m "$MIB" -p
	done
	for i in $(seq "$1"); do
		hog_filled "hog$i"
	done
	for i in $(seq "$1"); do
		hog_done "hog$i" || rc=1
	done
	return $rc
}

# check_nbd_books WHAT OLD: checks that all requests are followed to their end. Makes 9 checks.
check_nbd_books()
{
	local did dir want n=1

	check "$1: no request is left" loop_until 50 nothing_in_flight
	did=$(since "$2" "$(device_did)")
	for dir in read write; do
		want=$(echo "$did" | cut -d ' ' -f $n)
		check_eq "$1: the ledger has the device's ${dir}s" "$(nbd "$dir\\.requests")" "$want"
		want=$(echo "$did" | cut -d ' ' -f $((n + 1)))
		check_eq "$1: the ledger has the bytes of the device's ${dir}s" "$(nbd "$dir\\.bytes")" $((want * 512))
		n=3
	done
	check_eq "$1: the histogram has each request" "$(nbd '[a-z]*\.hist\.us\.[0-9]+')" \
		"$(nbd '[a-z]*\.requests')"
	check_eq "$1: the parts of the longest request sum to its time" \
		"$(nbd "write\\.longest\\.phase\\.($PHASES)\\.ns")" "$(nbd 'write\.longest\.ns')"
	check_eq "$1: no request failed or was given back" "$(nbd '[a-z]*\.(errors|requeues)')" 0
	check_eq "$1: no request was lost" "$(sum "$LEDGER/status" 'lost\.nbd_(requests|abandoned)')" 0
	say "$1: reads and sectors, writes and sectors: $did"
	for dir in read write; do
		say "$1: ${dir}s, per cent: lock $(spent $dir lock), header $(spent $dir header), payload $(spent $dir payload), server $(spent $dir server), reply $(spent $dir reply)"
	done
}

# check_batches WHAT PSWPOUT: checks that all pages are in a batch, and that all batches ended.
# Makes 4 checks.
check_batches()
{
	check_eq "$1: the batches have the pages of pswpout" "$(ledger batches '[a-z_]*\.pages')" "$2"
	check_eq "$1: the histogram has each batch" "$(ledger batches '[a-z_]*\.pages\.hist\.[0-9]+')" \
		"$(ledger batches '[a-z_]*\.batches')"
	check_eq "$1: the ledger knows why each ended" "$(ledger batches '[a-z_]*\.(open|ended\.unknown)')" 0
	check_eq "$1: as many ended as there were" "$(ledger batches '[a-z_]*\.ended\.[a-z]*')" \
		"$(ledger batches '[a-z_]*\.batches')"
	say "$1: $(ledger batches '[a-z_]*\.batches') batches: gap $(ledger batches '[a-z_]*\.ended\.gap'), cgroup $(ledger batches '[a-z_]*\.ended\.cgroup'), full $(ledger batches '[a-z_]*\.ended\.full'), end $(ledger batches '[a-z_]*\.ended\.end')"
}

# with SERVER TASKS: runs the load, and checks its books.
with()
{
	local old pages

	nbd_swap_on "$1"
	load_mod write_around=N
	check_eq "$1: by default requests are followed, and so is their wait for the lock" \
		"$(row nbd state) $(row nbd lock)" "on on"
	quiesce
	old=$(device_did)
	pages=$(vmstat pswpout)
	check "$1: every page came back right" tasks "$2"
	section "$1: a load" 2
	quiesce
	check_nbd_books "$1" "$old"
	section "$1: books" 9
	check_batches "$1" $(($(vmstat pswpout) - pages))
	section "$1: batches" 4
}

with delay 2
check_num "delay: a write is at the server for at least as long as that waits, in ms" \
	"$(($(nbd 'write\.phase\.server\.ns') / $(nbd 'write\.requests') / 1000000))" -ge 200
section "delay: a write" 1
delayed=$(ms_to_send)
unload_mod
undo_all

# Little fits into the buffers of a thin link. What is not sent waits here.
set_file /proc/sys/net/ipv4/tcp_wmem "4096 16384 65536"
with slow 6
# Nothing more is asserted about them. On an emulated CPU sending is slow in itself. What lies in
# buffers on the way, of which QEMU's network and the host have megabytes, counts as the server's
# time.
say "slow: it took $(ms_to_send) ms to send a write; with the slow server it took $delayed ms"
check_num "slow: some waited for the lock" "$(nbd 'write\.phase\.lock\.ns')" -gt 0
section "slow: the lock" 1
unload_mod
undo_all

with fast 2
# Without the probes no request is followed, and not everything that is swapped out is in a batch.
requests=$(nbd '[a-z]*\.requests')
echo N > "$PARAMS/nbd"
check_eq "nbd=N: the ledger is off" "$(row nbd state)" off
check_eq "nbd=N: no function of the driver is probed" "$(row status fprobe.nbd_queue_rq)" off
check "nbd=N: every page came back right" tasks 2
check_eq "nbd=N: no request was followed" "$(nbd '[a-z]*\.requests')" "$requests"
section "nbd=N" 4
echo Y > "$PARAMS/nbd"
pages=$(vmstat pswpout) in_batches=$(ledger batches '[a-z_]*\.pages')
echo N > "$PARAMS/enabled"
check "enabled=N: every page came back right" tasks 2
check_num "enabled=N: pages were swapped out" "$(vmstat pswpout)" -gt "$pages"
check_eq "enabled=N: no page is in a batch" "$(ledger batches '[a-z_]*\.pages')" "$in_batches"
check_eq "enabled=N: no request was followed" "$(nbd '[a-z]*\.requests')" "$requests"
section "enabled=N" 4
echo Y > "$PARAMS/enabled"

# Here kswapd and tasks reclaim in turn.
old=$(device_did)
old_writes=$(nbd 'write\.requests') old_reads=$(nbd 'read\.requests')
pages=$(vmstat pswpout)
check "under pressure: every page came back right" pressure anon
quiesce
# The shell that compares may swap in pages of its own, between one look and the other.
agree()
{
	[ "$(($(nbd 'read\.requests') - old_reads)) $(($(nbd 'write\.requests') - old_writes))" = \
		"$(since "$old" "$(device_did)" | cut -d ' ' -f 1,3)" ]
}
check "under pressure: the ledger has the device's reads and writes" loop_until 50 agree
check_num "under pressure: there were reads" "$(nbd 'read\.requests')" -gt 0
check_eq "under pressure: the batches have the pages of pswpout" \
	"$(($(ledger batches '[a-z_]*\.pages') - in_batches))" "$(($(vmstat pswpout) - pages))"
section "under pressure" 4
unload_mod
undo_all

# Stalls: how much of their wait was for requests? It is not asserted whose time each part is: a
# task that stalls while a request is sent waits for the lock, and sending takes long on an emulated
# CPU.
M=$(scaled 96)
for_server()
{
	[ "$(ledger nbd 'stalls\.phase\.server\.ns')" -gt 0 ] &&
		grep -q ' nbd\.server=' "$LEDGER/stalls_longest"
}
leave_mib "$M"
nbd_swap_on disk
load_mod write_around=N handoff=never
check "stalls: tasks want more than there is" press_until 120 for_server -c text -n 4 -m $((M / 3))
waited=$(ledger nbd "stalls\\.phase\\.($PHASES)\\.ns") waiting=$(row nbd stalls.stalls)
server=$(ledger nbd 'stalls\.phase\.server\.ns')
take_stalls
check_num "stalls: some waited for requests" "$waiting" -gt 0
check_num "stalls: no more did than there were" "$waiting" -le "$(stalled "$STALL_ORIGIN\\.stalls")"
check_num "stalls: they waited for some time" "$waited" -gt 0
check_num "stalls: they waited no longer than for all causes" "$waited" -le \
	"$(stalled "$STALL_ORIGIN\\.part\\.(nbd_lock|nbd_send|throttle_[a-z]*|pfmemalloc|swap_submit|tag_wait|off_cpu)\\.ns")"
check_num "stalls: a part of that was the server's" "$server" -gt 0
check_num "stalls: the longest ones name the server" "$(grep -c ' nbd\.server=' "$TMP/stalls_longest")" -gt 0
section "stalls" 7
say "$waiting stalls waited $((waited / 1000000)) ms for requests, $((server / 1000000)) ms of it for the server"
unload_mod
undo_all

# With swap elsewhere there is nothing of that.
leave_mib "$M"
zram_swap_on 512
load_mod write_around=N handoff=never
check "zram: tasks want more than there is" press_until 120 enough_stalls -c text -n 4 -m $((M / 3))
take_stalls
check_num "zram: there were stalls" "$(stalled "$STALL_ORIGIN\\.stalls")" -gt 0
check_eq "zram: none waited for requests of NBD" "$(row nbd stalls.stalls)" 0
section "zram" 3
unload_mod

finish

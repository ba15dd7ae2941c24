#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One guest of scripts/measure/soak.sh. For RWB_SECONDS it runs rounds, each of a load and of events
# that befall it. RWB_SEED chooses both: parameters change, the module goes and comes, devices stop
# or fail, cgroups, CPUs, swap areas and blocks of memory (VARIANT=base+hotplug) come and go, and
# filesystems are frozen and remounted. The choices depend on the seed alone; their timing does not.
# Each load verifies what it had written, and at the end of each round the books balance.
# nbd: fast error
# disk: 1G
# mem: 512M
. "$(dirname "$0")/../lib/nbd.sh"

need_handoff
need_helper
need_memcg
need_nbd fast
need_befall
need_disk disk0
need_fs ext4
need_dm delay
SOAK_S=${RWB_SECONDS:-120} STATE=${RWB_SEED:-1}
start_test 11 "seed $STATE, $SOAK_S s"
[ "$RWB_IN_OWN" != yes ] || undo "echo $$ > /sys/fs/cgroup/cgroup.procs; loop_until 50 rmdir $OWN_CG 2> /dev/null"
echo -1000 > /proc/$$/oom_score_adj

# rand N: sets RAND to one of 0 .. N-1.
rand()
{
	STATE=$(((STATE * 1103515245 + 12345) & 0x7fffffff))
	RAND=$(((STATE >> 8) % $1))
}

# one_of WORD...: sets WORD to one of them.
one_of()
{
	rand $#
	shift "$RAND"
	WORD=$1
}

# count WORD: that it happened once more.
count()
{
	echo "$1" >> "$TMP/counts"
}

bad()
{
	say "round $round (seed ${RWB_SEED:-1}): $*"
	count BAD
}

# --- loads. Each is in a cgroup that has less memory than it wants, and runs until $TMP/enough is
# there or its seconds are over.

# While a device stands still, a task of a cgroup with little memory can be OOM-killed, as on stock.
# A wrong page has no excuse.
in_load()
{
	# shellcheck disable=SC2016 # that shell's own
	sh -c 'echo 0 > /proc/$$/oom_score_adj
		echo $$ > "$0/cgroup.procs"; exec "$@"' "$LCG" "$@"
}

load_swap()
{
	rand 1000
	in_load "$BIN/swapload" -n 2 -m "$MIB" -T 2 -W 40 -s $((RAND + 1)) -A -G "$TMP/enough" "$@"
}

load_shmem()
{
	load_swap -t
}

load_huge()
{
	load_swap -H
}

THP=/sys/kernel/mm/transparent_hugepage
load_order()
{
	if [ -e $THP/hugepages-64kB/enabled ]; then
		load_swap -O 4
	else
		load_swap
	fi
}

load_mix()
{
	rand 1000
	in_load "$BIN/swapmix" -n 2 -m "$MIB" -T $((5 + RAND % 10)) -s $((RAND + 1))
}

load_files()
{
	rand 1000
	in_load "$BIN/filehog" write -n 2 -p $((MIB * 160)) -o random -s $((RAND + 1)) \
		-u "$TMP/enough" "$MNT/file" &&
		in_load "$BIN/filehog" verify -n 2 -p $((MIB * 160)) -o random -s $((RAND + 1)) -l "$MNT/file"
}

load_mutate()
{
	rand 1000
	in_load "$BIN/filehog" mutate -n 4 -p $((MIB * 64)) -r 200 -s $((RAND + 1)) "$MNT/mutant" &&
		in_load "$BIN/filehog" mutate -n 4 -p $((MIB * 64)) -r 200 -s $((RAND + 1)) -V "$MNT/mutant"
}

# --- events

MODULE=in
flip()
{
	[ $MODULE = in ] || return 0
	case $1 in
	handoff) one_of never low-headroom always ;;
	handoff_floor) one_of 0 2048 8192 12288 ;;
	write_around | enabled | stalls | shrinkers | tlb | metadata | takers | reserves | nbd | waits)
		one_of Y N ;;
	window) one_of 64 256 1024 4096 ;;
	request_cost) one_of 0 16 256 1024 ;;
	inflight) one_of 256 4096 65536 ;;
	ring_pages) one_of 64 1024 4096 ;;
	headroom_floor) one_of 0 2048 4096 ;;
	esac
	# A kernel may lack what a parameter is for.
	[ -e "$PARAMS/$1" ] || return 0
	set_to "$1=$WORD" || bad "$1=$WORD is refused"
	count "flip"
}

module_out()
{
	[ $MODULE = in ] || return 0
	unload_mod || bad "rmmod"
	MODULE=out
	count "rmmod"
}

module_in()
{
	[ $MODULE = out ] || return 0
	one_of never low-headroom always
	try_load reclaimwb handoff="$WORD" || bad "insmod: $(cat "$TMP/insmod")"
	MODULE=in
	count "insmod"
}

# A parameter is changed as often as all other events of one kind happen together.
event_flip()
{
	one_of handoff handoff handoff_floor write_around write_around enabled stalls shrinkers tlb \
		metadata takers reserves nbd waits window request_cost inflight ring_pages headroom_floor
	flip "$WORD"
}

event_module()
{
	module_out
	rand 3
	[ "$RAND" = 0 ] || module_in
}

event_in()
{
	module_in
}

event_read()
{
	[ $MODULE = in ] || return 0
	cat "$LEDGER"/* > "$TMP/ledgers" || bad "the ledgers cannot be read"
	count "read"
}

event_nap()
{
	befall nap fast
	count "nap"
}

# Writes to one of the swap devices fail; it keeps what it has.
event_fail()
{
	befall fail error
	nap 2
	befall heal error
	count "fail"
}

event_stop()
{
	dm_stop rwb-soak
	nap 3
	dm_go rwb-soak
	count "stop"
}

event_freeze()
{
	fsfreeze --freeze "$MNT" && nap 1
	fsfreeze --unfreeze "$MNT"
	count "freeze"
}

event_remount()
{
	# Not read-only: then a load that opens a file would rightly fail.
	one_of rw,noatime rw,relatime
	mount -o "remount,$WORD" "$DEV" "$MNT" || bad "remount,$WORD"
	count "remount"
}

event_cgroup()
{
	local cg="$CG/rwb-churn"

	mkdir "$cg" 2> /dev/null || return 0
	echo 8M > "$cg/memory.max"
	in_cg "$cg" "$BIN/memhog" -c text -m 12 > "$TMP/churn" 2>&1
	! grep -q " [1-9][0-9]* bad" "$TMP/churn" || bad "a page of the churning cgroup is wrong"
	loop_until 50 rmdir "$cg" 2> /dev/null || bad "its cgroup stays"
	count "cgroup"
}

event_limit()
{
	rand 3
	echo $((LIMIT + RAND * 4))M > "$LCG/memory.max"
	count "limit"
}

event_reclaim()
{
	echo 4M > "$LCG/memory.reclaim" 2> /dev/null
	count "reclaim"
}

event_cpu()
{
	local cpu=/sys/devices/system/cpu/cpu1/online

	[ -e $cpu ] || return 0
	echo 0 > $cpu && nap 1
	echo 1 > $cpu || bad "CPU 1 does not come back"
	count "cpu"
}

# event_memory: a block of memory goes and comes back. A block with pages of the kernel's own cannot
# go: the kernel refuses, or tries until it is interrupted.
event_memory()
{
	local block back=online

	set -- /sys/devices/system/memory/memory[0-9]*
	[ -e "$1/state" ] || return 0
	rand $#
	shift "$RAND"
	block=$1
	[ "$(cut -d' ' -f1 "$block/valid_zones")" != Movable ] || back=online_movable
	# shellcheck disable=SC2016 # that shell's own
	if timeout 20 sh -c 'echo offline > "$0"' "$block/state" 2> /dev/null; then
		count "memory"
	else
		count "memory_refused"
	fi
	nap 2
	[ "$(cat "$block/state")" = online ] || echo $back > "$block/state" ||
		bad "$block does not come back"
}

event_swapoff()
{
	# Not the device with the errors.
	swapoff "$SECOND" 2> /dev/null || return 0
	$SWAPON -p 10 "$SECOND" || bad "swapon $SECOND"
	count "swapoff"
}

event_drop()
{
	echo 3 > /proc/sys/vm/drop_caches
	count "drop"
}

nap()
{
	rand $(($1 * 10))
	sleep "$((RAND / 10)).$((RAND % 10))"
}

# --- rounds

# balances: if the module is loaded, its books say that nothing is under way.
balances()
{
	[ $MODULE = in ] || return 0
	cat "$LEDGER/helper" > "$TMP/helper" && cat "$LEDGER/handoff" > "$TMP/handoff" || return 1
	[ "$(around state)" != on ] ||
		[ "$(hsum 'queued\.folios')" = "$(hsum "written\\.folios|pending\\.folios|skipped\\.($WORKER_SKIPS)\\.folios")" ] ||
		{ bad "queued is not written and skipped"; show_around; }
	[ "$(handoff state)" != on ] ||
		[ "$(sum "$TMP/handoff" '[a-z_]*\.taken\.requests')" = "$(sum "$TMP/handoff" 'written\.requests|pending\.requests')" ] ||
		{ bad "what was taken is not what was written"; show_handoff; }
}

ends()
{
	! kill -0 "$load" 2> /dev/null
}

one_round()
{
	local events kind rc kills

	round=$((round + 1))
	rand 6
	MIB=$((20 + RAND * 4))
	rand 3
	LIMIT=$((MIB + RAND * 4))
	one_of swap swap shmem huge order mix files files mutate
	kind=$WORD
	LCG=$CG/rwb-soak
	echo "${LIMIT}M" > "$LCG/memory.max"
	rm -f "$TMP/enough" "$MNT"/file* "$MNT"/mutant*
	kills=$(vmstat oom_kill)
	say "round $round: $kind, $MIB MiB a task, $LIMIT MiB for all, state $STATE"
	# In the background, so that the numbers it draws do not change those of the events.
	"load_$kind" > "$TMP/load" 2>&1 &
	load=$!
	rand 6
	events=$((RAND + 2))
	while [ $events -gt 0 ]; do
		events=$((events - 1))
		nap 2
		one_of flip flip flip module module in read nap fail stop freeze remount cgroup limit \
			reclaim cpu memory swapoff drop
		"event_$WORD"
	done
	touch "$TMP/enough"
	if ! loop_until 3000 ends; then
		echo w > /proc/sysrq-trigger
		bad "the load does not end: $kind"
		return 1
	fi
	wait "$load"
	rc=$?
	kills=$(($(vmstat oom_kill) - kills))
	if grep -qE ' [1-9][0-9]* bad|is wrong' "$TMP/load"; then
		bad "a page is wrong: $kind"
		show_file "$TMP/load"
	elif [ $rc = 0 ]; then
		count "proven"
	elif [ $kills != 0 ]; then
		count "killed"
	else
		bad "$kind failed: $rc"
		show_file "$TMP/load"
	fi
	count "load_$kind"
	[ $MODULE = out ] || around_quiet || bad "write-around does not end"
	[ $MODULE = out ] || handoff_quiet || bad "handoff does not end"
	balances
	# The next round begins with the module.
	module_in
}

rounds()
{
	local until

	until=$(($(cut -d. -f1 /proc/uptime) + SOAK_S))
	while [ "$(cut -d. -f1 /proc/uptime)" -lt "$until" ]; do
		one_round || return 1
	done
}

counted()
{
	grep -cx "$1" "$TMP/counts"
}

: > "$TMP/counts"
memory=$(mem_mib MemTotal)
try_load reclaimwb || bail "insmod: $(cat "$TMP/insmod")"
# Both devices have the same priority, so that both are written to.
nbd_attach error
swap_on "$NBD_DEV" 10
nbd_disk_attach fast
SECOND=$DISK
swap_on "$SECOND" 10
disk_attach disk0
dm_make rwb-soak "$DISK"
DEV=/dev/mapper/rwb-soak
fs_new ext4 "$DEV"
cg_make rwb-soak
# Huge pages are for tasks that ask for them.
for file in enabled hugepages-64kB/enabled; do
	[ ! -e $THP/$file ] || set_file $THP/$file madvise || bail "$THP/$file"
done
round=0
check "each round came to its end" rounds
check_num "rounds" $round -gt 0
sort "$TMP/counts" | uniq -c | while read -r n what; do say "count: $what $n"; done
check_eq "nothing was wrong" "$(counted BAD)" 0
check_num "loads that proved all of their pages" "$(counted proven)" -gt 0
check "of loads not every second was killed for memory" [ "$(counted killed)" -le "$((round / 2 + 1))" ]
check_eq "the filesystem had nothing to say" "$(fs_complaints)" clean
check "it can be unmounted" fs_umount "$DEV"
fs_mount "$DEV"
check "and mounted" is_mounted "$DEV"
[ $MODULE = in ] && module_out
leaks=$(leak_scan)
if [ "$leaks" = "kmemleak is off" ]; then
	skip_checks 1 "no kmemleak, or it is off"
else
	check_eq "kmemleak" "$leaks" clean
fi
check_eq "all CPUs are there" "$(cat /sys/devices/system/cpu/online)" "$(cat /sys/devices/system/cpu/present)"
check_eq "all memory is there" "$(mem_mib MemTotal)" "$memory"

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Groups of probes are switched at run time. A group that is off is detached and records nothing; when
# it is on it records again. This also holds under load, over and over, and nothing is left behind.
# guards: rust/probes/ rust/control/probes.rs rust/tables/states.rs rust/shim/function_probe.c rust/kernel_ext/function_probe.rs rust/ledgers/shrinkers/ rust/ledgers/tlb.rs
# faults: lifetime locking
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
ROUNDS=20 MIB=96
! is_debug_kernel || ROUNDS=2 MIB=16
GROUPS_DEFAULT="stalls=on shrinkers=on tlb=off metadata=off takers=off nbd=on waits=on"
start_test plan-at-end "groups of probes are switched"
zram_swap_on 512
leave_mib $MIB

probe()
{
	awk -v k="$1" '$1 == k { print $2 }' "$LEDGER/status"
}

# switched GROUP on|off PROBE STATE: switch the group; is that probe then in that state?
switched()
{
	echo "$2" > "$PARAMS/$1" && [ "$(probe "group.$1")" = "$2" ] && [ "$(probe "$3")" = "$4" ]
}

# thrash MET: make tasks reclaim until MET is true. Memory that others have given back (KASAN's
# quarantine, tasks that ended) is locked first, as else everything might fit.
thrash()
{
	drop_ballast
	leave_mib $MIB
	MET=$1
	press_until 120 met -c text -m $((MIB + MIB / 4))
}

# met: on a kernel with checkers the ballast then goes, as in `pressure`: pages that are read back to
# be verified shall not drive out the others.
met()
{
	"$MET" && { ! is_debug_kernel || drop_ballast; }
}

# kernel_reclaims: how often tasks reclaimed, as the kernel counts it.
kernel_reclaims()
{
	[ "$(awk '/^allocstall_/ { n += $2 } END { print n }' /proc/vmstat)" -ge $((allocstall + 10)) ]
}

calls_so_far()
{
	sum "$LEDGER/shrinkers" '(shrinker\.[0-9]+|other)\.calls'
}

both_recorded()
{
	enough_stalls && [ "$(calls_so_far)" -gt "$calls" ]
}

more_stalls()
{
	[ "$(stalls_so_far)" -gt "$before" ]
}

# nobody_stalls: is no stall open? The reader may stall itself at times.
nobody_stalls()
{
	[ "$(probe stalls.open)" = 0 ]
}

load_mod write_around=N handoff=never
for g in $GROUPS_DEFAULT; do
	check_eq "group ${g%=*} when loaded" "$(probe "group.${g%=*}")" "${g#*=}"
done
section "groups when loaded" 7
check "stalls off" switched stalls off probe.sched_switch off
check_eq "its functions are not probed" "$(probe fprobe.__alloc_pages_slowpath)" off
check "shrinkers off" switched shrinkers off probe.mm_shrink_slab_start off
# Calls that were under way are over.
check "no task is in a stall" loop_until 100 nobody_stalls
calls=$(calls_so_far) before=$(stalls_so_far)
allocstall=$(awk '/^allocstall_/ { n += $2 } END { print n }' /proc/vmstat)
check "a task reclaims" thrash kernel_reclaims
check_eq "nothing was recorded" "$(stalls_so_far) $(calls_so_far)" "$before $calls"
section "switched off" 6

check "stalls on" switched stalls on probe.sched_switch attached
check "shrinkers on" switched shrinkers on fprobe.do_shrink_slab attached
check "a task reclaims again" thrash both_recorded
check_num "stalls were recorded" "$(stalls_so_far)" -gt "$before"
check_num "calls of shrinkers were" "$(calls_so_far)" -gt "$calls"
section "switched on" 5
check_unexplained "switched on again"
section "switched on: unexplained" "$UNEXPLAINED_CHECKS"
check_eq "the parts sum to the wall time" "$(stalled '[a-z_]*\.part\.[a-z_]*\.ns')" \
	"$(stalled '[a-z_]*\.ns')"
section "switched on: parts" 1

hogs_live()
{
	for n in "$@"; do kill -0 "$(cat "$TMP/$n.pid")" || return 1; done
}

# over_and_over: switch each group while tasks stall.
over_and_over()
{
	local i=0 g

	while [ $i -lt $ROUNDS ]; do
		for g in stalls shrinkers tlb metadata takers nbd waits; do
			echo $((i % 2)) > "$PARAMS/$g" || return 1
		done
		i=$((i + 1))
	done
}

# On a kernel with checkers the ballast is gone.
leave_mib $MIB
hog_start first -c text -m $((MIB / 2 + MIB / 8)) -T 600
hog_start second -c text -m $((MIB / 2 + MIB / 8)) -T 600
hog_filled first
hog_filled second
check "groups are switched under load, $ROUNDS times" over_and_over
check "the tasks are alive" hogs_live first second
hog_kill first
hog_kill second
for g in stalls shrinkers nbd waits; do echo Y > "$PARAMS/$g"; done
before=$(stalls_so_far)
check "a task reclaims after that" thrash more_stalls
quiesce
check_num "its stalls are recorded" "$(stalls_so_far)" -gt "$before"
check "no entry was left behind" loop_until 50 nobody_stalls
check_eq "no room was wanting" "$(sum "$LEDGER/status" 'lost\.(stalls|shrinkers)')" 0
section "switched under load" 6
unload_mod

finish

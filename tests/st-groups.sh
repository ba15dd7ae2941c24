#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Groups of probes are switched at run time: off is detached, and records nothing; on
# records again. Under load, over and over, and nothing is left behind.
# guards: rust/probes/ rust/shim/attached.rs rust/shim/fprobe.c rust/kernel_ext/fprobe.rs rust/shrinkers/ rust/tlb.rs
# faults: lifetime locking
# mem: 384M
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

need_mod
need_no_swap
ROUNDS=20 MIB=160
! is_debug_kernel || ROUNDS=5 MIB=48
GROUPS_DEFAULT="stalls=on shrinkers=on tlb=off metadata=off takers=off nbd=on"
start_test $((6 + 5 + 6 + 6 + UNEXPLAINED_CHECKS)) "groups of probes are switched"
zram_swap_on 512
leave_mib $MIB

probe()
{
	awk -v k="$1" '$1 == k { print $2 }' "$LEDGER/status"
}

# switched GROUP on|off PROBE STATE: and that probe is then in that state.
switched()
{
	echo "$2" > "$PARAMS/$1" && [ "$(probe "group.$1")" = "$2" ] && [ "$(probe "$3")" = "$4" ]
}

# thrash: direct reclaim, and nothing left of it.
thrash()
{
	"$BIN/memhog" -c text -m $((MIB + MIB / 4)) > "$TMP/hog.log" 2>&1
}

stalls_now()
{
	take_stalls && stalled '[a-z_]*\.stalls'
}

load_mod write_around=N handoff=never
for g in $GROUPS_DEFAULT; do
	check_eq "group ${g%=*} when loaded" "$(probe "group.${g%=*}")" "${g#*=}"
done
check "stalls off" switched stalls off probe.sched_switch off
check_eq "its functions are not probed" "$(probe fprobe.__alloc_pages_slowpath)" off
check "shrinkers off" switched shrinkers off probe.mm_shrink_slab_start off
calls=$(sum "$LEDGER/shrinkers" '(shrinker\.[0-9]+|other)\.calls')
before=$(stalls_now)
check "a task reclaims" thrash
check_eq "nothing was recorded" "$(stalls_now) $(sum "$LEDGER/shrinkers" '(shrinker\.[0-9]+|other)\.calls')" \
	"$before $calls"

check "stalls on" switched stalls on probe.sched_switch attached
check "shrinkers on" switched shrinkers on fprobe.do_shrink_slab attached
check "a task reclaims again" thrash
by_chance check_num "stalls were recorded" "$(stalls_now)" -gt "$before"
by_chance check_num "calls of shrinkers were" \
	"$(sum "$LEDGER/shrinkers" '(shrinker\.[0-9]+|other)\.calls')" -gt "$calls"
check_unexplained "switched on again"
check_eq "the parts sum to the wall time" "$(stalled '[a-z_]*\.part\.[a-z_]*\.ns')" \
	"$(stalled '[a-z_]*\.ns')"

hogs_live()
{
	for n in "$@"; do kill -0 "$(cat "$TMP/$n.pid")" || return 1; done
}

# nobody_stalls: what reads this may stall itself, at times.
nobody_stalls()
{
	[ "$(probe stalls.open)" = 0 ]
}

# over_and_over: each switch while tasks stall.
over_and_over()
{
	local i=0 g

	while [ $i -lt $ROUNDS ]; do
		for g in stalls shrinkers tlb metadata takers nbd; do
			echo $((i % 2)) > "$PARAMS/$g" || return 1
		done
		i=$((i + 1))
	done
}

hog_start first -c text -m $((MIB / 2 + MIB / 8)) -T 600
hog_start second -c text -m $((MIB / 2 + MIB / 8)) -T 600
hog_filled first
hog_filled second
check "groups are switched under load, $ROUNDS times" over_and_over
check "the tasks are alive" hogs_live first second
hog_kill first
hog_kill second
for g in stalls shrinkers nbd; do echo Y > "$PARAMS/$g"; done
before=$(stalls_now)
check "a task reclaims after that" thrash
quiesce
by_chance check_num "its stalls are recorded" "$(stalls_now)" -gt "$before"
check "no entry was left behind" loop_until 50 nobody_stalls
check_eq "no room was wanting" "$(sum "$LEDGER/status" 'lost\.(stalls|shrinkers)')" 0
unload_mod

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Parameters: a bad value is refused and changes nothing, at run time and when the module is loaded;
# then one line says why. enabled=N stops the counting and detaches all probes.
# guards: rust/settings.rs rust/control/parameters.rs rust/shim/params.c rust/shim/setting.c
# faults: report
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
BAD_LOADS="window_slots=0 window_slots=63 window_slots=100 window_slots=131072 window_slots=x headroom_floor=-1 headroom_floor=1000000 enabled=7 stalls=7 takers=x"
start_test plan-at-end "parameters"

# lacks: how often the log has said that something is missing.
lacks()
{
	dmesg | grep -c 'reclaimwb: .*\(missing\|unavailable\)'
}

missed=$(lacks)
load_mod
missed=$(($(lacks) - missed))
old=$(cat "$PARAMS/headroom_floor")
# At most the size of a stack: 16 KiB, or 32 KiB with KASAN.
for v in -1 x "$(($(row headroom stack.size) + 1))" 99999999999999999999; do
	check_not "headroom_floor=$v is refused" \
		sh -c "echo $v > $PARAMS/headroom_floor" 2> /dev/null
	check_eq "and changes nothing" "$(cat "$PARAMS/headroom_floor")" "$old"
done
section "values of headroom_floor" $((4 * 2))
check_not "enabled=maybe is refused" sh -c "echo maybe > $PARAMS/enabled" 2> /dev/null
check_eq "and changes nothing" "$(cat "$PARAMS/enabled")" Y
check_not "window_slots cannot be written" \
	sh -c "echo 128 > $PARAMS/window_slots" 2> /dev/null
section "enabled and window_slots" 3
unload_mod

# says PARAM=VALUE: does the log name it, in the module's words, or in the kernel's if it is no number?
says()
{
	dmesg | grep -Eq "reclaimwb: ($1: give |.${1#*=}' invalid for parameter .${1%=*}')"
}

for p in $BAD_LOADS; do
	check_not "insmod with $p fails" try_load reclaimwb "$p"
	[ ! -d /sys/module/reclaimwb ] || unload_mod
	check "and the log says why" says "$p"
done
section "insmod with bad values" $((10 * 2))
# The kernel ignores a parameter that a module does not have.
check "insmod with an unknown parameter works, as for every module" \
	try_load reclaimwb nonsense=1
unload_mod
check "good values load" try_load reclaimwb window_slots=64 headroom_floor=0
section "insmod that works" 2

# probes: the state of each probe and of the ledgers.
probes()
{
	grep -E '^(f?probe|ledger)\.' "$LEDGER/status" | md5sum
}

# attached: how many probes are attached.
attached()
{
	grep -cE '^f?probe\.[^ ]* attached$' "$LEDGER/status"
}

# events: how many events have reached the module.
events()
{
	sum "$LEDGER/status" 'events\..*'
}

zram_swap_on 64
check_num "probes are attached" "$(attached)" -gt 0
whole=$(probes) ledgers=$(grep '^ledger\.' "$LEDGER/status")
snap before
echo N > "$PARAMS/enabled"
check_eq "enabled reads back" "$(cat "$PARAMS/enabled")" N
check_eq "no probe is attached" "$(attached)" 0
check_eq "the ledgers are what they were" "$(grep '^ledger\.' "$LEDGER/status")" "$ledgers"
seen=$(events)
echo N > "$PARAMS/stalls"
check_eq "a group is switched off meanwhile" "$(row stalls part.scan)" off
echo Y > "$PARAMS/stalls"
check_eq "and on again" "$(row stalls part.scan)" available
check_eq "which attaches nothing" "$(attached)" 0
check "workload runs" "$BIN/memhog" -p -c text -m 8
quiesce
snap after
check_num "the kernel wrote" "$(delta vmstat nr_vmscan_write)" -gt 0
check_eq "enabled=N: nothing was counted" "$(delta writes 'total\.pages')" 0
check_eq "enabled=N: no event came" "$(events)" "$seen"
echo Y > "$PARAMS/enabled"
check_eq "enabled=Y: all probes are attached again" "$(probes)" "$whole"
section "enabled=N, then Y" 12

swaps()
{
	while [ ! -e "$TMP/stop" ]; do
		"$BIN/memhog" -p -c text -m 24 > /dev/null || return 1
	done
}

# flips: switch it off and on while another task swaps.
flips()
{
	local pid rc=0

	swaps &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8; do
		echo N > "$PARAMS/enabled" || rc=1
		echo Y > "$PARAMS/enabled" || rc=1
	done
	: > "$TMP/stop"
	wait "$pid" && [ "$rc" = 0 ]
}

closed()
{
	[ "$(row status windows.open)" = 0 ]
}
check "it is switched off and on while a task is in reclaim" flips
check "all windows close" loop_until 100 closed
snap before
check "workload runs again" "$BIN/memhog" -p -c text -m 8
quiesce
snap after
check_eq "enabled=Y: everything is counted again" \
	"$(delta writes 'total\.pages')" "$(delta vmstat nr_vmscan_write)"
check_num "and events come again" "$(events)" -gt "$seen"
section "switched while a task reclaims" 5
unload_mod
before=$(lacks)
load_mod enabled=N
check_eq "loaded with enabled=N: no probe is attached" "$(attached)" 0
check_eq "and the log says no more than else" $(($(lacks) - before)) "$missed"
echo Y > "$PARAMS/enabled"
check_eq "enabled=Y: they are" "$(probes)" "$whole"
section "loaded with enabled=N" 3

finish

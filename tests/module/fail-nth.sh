#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Allocations fail, one in each attempt, while the helper is switched on, a ledger is read, and (for
# some of them) the module is loaded. An attempt that fails says so and changes nothing; one that
# succeeds works. Nothing is leaked, and the kernel does not complain.
# guards: rust/reclaimwb_main.rs rust/control/ rust/helper.rs rust/helper/ rust/rows.rs rust/rows/ rust/kernel_ext/ rust/shim/
# faults: lifetime memory
# append: kmemleak=on
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_helper
DEBUGFS=/sys/kernel/debug
for kind in failslab fail_page_alloc; do
	need_file "$DEBUGFS/$kind/ignore-gfp-wait" CONFIG_FAULT_INJECTION
done
# Loading makes hundreds of allocations. Some of them fail, each in a load of its own.
LOADS=16
start_test 11 "allocations that fail"
for kind in failslab fail_page_alloc; do
	for what in ignore-gfp-wait:N verbose:0; do
		old=$(cat "$DEBUGFS/$kind/${what%:*}")
		echo "${what#*:}" > "$DEBUGFS/$kind/${what%:*}" || bail "$kind/${what%:*}"
		undo "echo $old > $DEBUGFS/$kind/${what%:*}"
	done
done

# failnth N HOW...: sets RESULT (ok, or an error) and LEFT; true if an allocation was made to fail.
failnth()
{
	RESULT='' LEFT=''
	read -r RESULT LEFT <<-SAID
	$("$BIN/failnth" "$@" 2> "$TMP/failnth")
	SAID
	[ -n "$LEFT" ] || bail "failnth: $(cat "$TMP/failnth")"
	[ "$LEFT" = 0 ]
}

# every_nth NAME FROM TO: write TO to a parameter that reads FROM, over and over, and each time let
# another allocation fail: each of the first forty, and then every seventh, as most of these are made
# in one loop. FAULTS counts the failures, and ODD each time that something is not as the result says.
every_nth()
{
	local n=1 at

	FAULTS=0 ODD=0 SUCCEEDED=0
	while failnth $n write "$PARAMS/$1" "$3"; do
		FAULTS=$((FAULTS + 1))
		at=$n
		[ "$n" -lt 40 ] && n=$((n + 1)) || n=$((n + 7))
		case $RESULT:$(param "$1") in
		ENOMEM:"$2") ;;
		ok:"$3")
			SUCCEEDED=$((SUCCEEDED + 1))
			set_to "$1=$2" || ODD=$((ODD + 1)) ;;
		*)
			say "the ${at}th: $RESULT, and $1 is $(param "$1")"
			ODD=$((ODD + 1))
			set_to "$1=$2" ;;
		esac
	done
	say "$1=$3: $FAULTS allocations failed, $SUCCEEDED of them were not needed"
	[ "$RESULT:$(param "$1")" = "ok:$3" ] || ODD=$((ODD + 1))
	set_to "$1=$2"
}

try_load reclaimwb write_around=N handoff=never stalls=N shrinkers=N waits=N || bail "insmod: $(cat "$TMP/insmod")"
every_nth handoff never always
check_num "allocations failed while handoff was switched on" "$FAULTS" -ge 5
check_eq "and handoff was what each said" "$ODD" 0
every_nth write_around N Y
check_num "allocations failed while write-around was switched on" "$FAULTS" -ge 5
check_eq "and write-around was what each said" "$ODD" 0
# Not a group with function probes: on this kernel each of them takes seconds.
every_nth takers N Y
check_eq "a group of probes is switched on, or is not" "$ODD" 0

# every_read: each ledger is read in spite of failing allocations, or not at all.
every_read()
{
	local file n

	FAULTS=0
	for file in "$LEDGER"/*; do
		n=1
		while failnth $n read "$file"; do
			FAULTS=$((FAULTS + 1)) n=$((n + 1))
			case $RESULT in
			ok | ENOMEM) ;;
			*)
				say "$file: $RESULT"
				return 1 ;;
			esac
		done
		[ "$RESULT" = ok ] || return 1
	done
}

check "ledgers are read, or there is no memory" every_read
check_num "which was so now and then" "$FAULTS" -gt 0
unload_mod

# some_loads: load the module LOADS times, and let another allocation fail each time. They are spread
# evenly, and the first one differs from run to run. Allocations before the parameters are read are
# left out: they are the kernel's own, which warns if some of them fail (trace events).
some_loads()
{
	local file n step first

	file=$(module_file reclaimwb) || return 1
	! failnth 1000000 insmod "$file" window_slots=0 || return 1
	[ "$RESULT" = EINVAL ] || return 1
	first=$((1000000 - LEFT + 1))
	! failnth 1000000 insmod "$file" || return 1
	[ "$RESULT" = ok ] || return 1
	unload_mod || return 1
	ALL=$((1000000 - LEFT)) FAULTS=0 SUCCEEDED=0
	step=$(((ALL - first) / LOADS))
	[ "$step" -gt 0 ] || return 1
	n=$((first + $(date +%s) % step))
	say "loading makes $ALL allocations, from the ${first}th on ours; of these fail the ${n}th, and every ${step}th from there"
	while [ "$n" -le "$ALL" ]; do
		failnth $n insmod "$file" || break
		FAULTS=$((FAULTS + 1))
		if [ "$RESULT" = ok ]; then
			SUCCEEDED=$((SUCCEEDED + 1))
			[ "$(row status format)" = 2 ] && unload_mod || return 1
		elif ! mod_gone reclaimwb; then
			say "the ${n}th: $RESULT, and the module is there"
			return 1
		fi
		n=$((n + step))
	done
	# This load needed fewer allocations than the last one.
	[ ! -d /sys/module/reclaimwb ] || unload_mod || return 1
	say "$FAULTS loads, $SUCCEEDED of which did without the allocation that failed"
}

# The kernel warns if it has no memory for the first function probe that looks at a return. That probe
# should not be the module's.
TRACING=/sys/kernel/tracing
echo 'f:rwb_nth/kept ksys_sync%return' >> $TRACING/dynamic_events || bail "no events of function probes"
undo "echo -:rwb_nth/kept >> $TRACING/dynamic_events"
echo 1 > $TRACING/events/rwb_nth/kept/enable || bail "no function probe"
undo "echo 0 > $TRACING/events/rwb_nth/kept/enable"
check "the module loads, or does not" some_loads
check_num "after as many failing allocations as there should be" "$FAULTS" -ge $((LOADS - 1))
load_mod write_around=Y
check_eq "it loads in the end, and is well" "$(row status enabled)" 1
check_eq "with its helper" "$(around state)" on
unload_mod

finish

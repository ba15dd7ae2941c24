# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Swap over NBD while something goes wrong: what the scenarios in tests/nbd/ share.
#
#	. "$(dirname "$0")/../lib/nbd.sh"
#	need_nbd pause			# and whatever else it needs
#	EXPECT=survived			# how the load may end, see `outcome`
#	nbd_start 1 "what goes wrong"	# the plan: 1 check of its own, and the common ones
#	nbd_swap_on pause		# or nbd_keep_on, ...
#	load_begin			# tasks fill more memory than there is, and touch it
#	...				# something goes wrong: befall, on the host or here
#	load_end			# every page is verified, and the outcome is checked
#	nbd_finish
#
# RWB_SIDE says what is loaded:
#	stock		nothing
#	observer	the module, with its helper off
#	helper		the module as it is loaded by default, with handoff on (the default side)
# $RWB_RESULTS/cell then has the results from which scripts/measure/test-nbd.sh makes its table.

# The shell that reports on the device must not wait for the device, nor be killed when memory is
# short. So it runs in a cgroup that is never swapped out. In our guest its files are in a ramfs,
# which is not swapped out either.
OWN_CG=/sys/fs/cgroup/rwb-own
if [ -z "${RWB_IN_OWN:-}" ]; then
	export RWB_IN_OWN=no
	if [ "$(id -u)" = 0 ] && (echo +memory > /sys/fs/cgroup/cgroup.subtree_control) 2> /dev/null &&
			mkdir -p $OWN_CG && (echo 0 > $OWN_CG/memory.swap.max) 2> /dev/null; then
		RWB_IN_OWN=yes
		# shellcheck disable=SC2016 # that shell's own
		exec sh -c 'echo $$ > "$0/cgroup.procs"; exec "$@"' $OWN_CG "$0" "$@"
	fi
fi
# shellcheck source=test.sh
. "${RWB_TESTS:-$(dirname "$0")/..}/lib/test.sh"

RESULTS=${RWB_RESULTS:-}
SIDE=${RWB_SIDE:-helper}
case $SIDE in
stock) ;;
observer) need_mod ;;
helper) need_handoff ;;
*) skip_all "RWB_SIDE=$SIDE: it can be stock, observer or helper" ;;
esac

# Sizes: little memory is left, so that a little data makes real pressure.
LEAVE=32 TASKS=2 EACH=40 TOUCH=3 WRITES=30 SEED=1
# FIRST pages are swapped out before anything goes wrong. What has not ended after DEADLINE seconds
# counts as hanging.
FIRST=1500 DEADLINE=${RWB_DEADLINE:-150}
# It also counts as hanging if no page is swapped in or out for STILL seconds, unless that is 0.
STILL=0
if is_debug_kernel; then
	LEAVE=24 EACH=20 FIRST=300 DEADLINE=${RWB_DEADLINE:-600}
fi
# EXPECT says how the load may end. KNOWN says which other ends stock is known to have, and EVIDENCE
# how we know.
EXPECT=survived KNOWN='' EVIDENCE=''
# The load has this cgroup.
LOAD_CG=

# nbd_start CHECKS WHAT
NBD_CHECKS=5
nbd_start()
{
	start_test $(($1 + NBD_CHECKS)) "$SIDE; $2"
	if [ "$RWB_IN_OWN" = yes ]; then
		# A cgroup can be removed only when it is empty.
		undo "echo $$ > /sys/fs/cgroup/cgroup.procs; loop_until 50 rmdir $OWN_CG 2> /dev/null"
	else
		say "no cgroup v2: this shell can be swapped out, and may hang with the device"
	fi
	echo -1000 > /proc/$$/oom_score_adj
	[ -z "$RESULTS" ] || rm -f "$RESULTS/cell"
	case $SIDE in
	observer) load_mod write_around=N ;;
	helper)
		try_load reclaimwb || bail "insmod: $(cat "$TMP/insmod")"
		[ "$(handoff state)" = on ] || bail "handoff is $(handoff state), not on"
		;;
	esac
}

# nbd_servers NAME...: sets SERVERS to HOST:PORT of each.
nbd_servers()
{
	local name

	SERVERS=
	for name; do
		nbd_address "$name" || bail "no NBD server named '$name'"
		SERVERS="$SERVERS $NBD_HOST:$NBD_PORT"
	done
}

# nbd_keep_on [-OPTION VALUE]... NAME...: swaps on a device that is connected to one of these
# servers again whenever its connection is lost. Requests wait for that.
nbd_keep_on()
{
	local options=

	while [ "${1#-}" != "$1" ]; do
		options="$options $1 $2"
		shift 2
	done
	nbd_servers "$@"
	loop_until 50 nbd_free
	# shellcheck disable=SC2086 # words
	"$BIN/nbdlink" $options "$NBD_DEV" $SERVERS > "$TMP/nbdlink" 2>&1 &
	KEEPER=$!
	undo nbd_detach
	undo "kill $KEEPER 2> /dev/null"
	loop_until 50 nbd_connected || bail "$(tail -n 1 "$TMP/nbdlink")"
	swap_on "$NBD_DEV"
}

# reconnected N: was a lost connection replaced N times?
reconnected()
{
	[ "$(grep -c 'connected again' "$TMP/nbdlink")" -ge "$1" ]
}

# --- the load

swapped()
{
	vmstat pswpout
}

swapped_since()
{
	[ $(($(swapped) - $1)) -ge "$2" ]
}

# swap_io: prints how many pages were swapped in and out.
swap_io()
{
	awk '$1 == "pswpin" || $1 == "pswpout" { n += $2 } END { print n }' /proc/vmstat
}

io_since()
{
	[ $(($(swap_io) - $1)) -ge "$2" ]
}

# stands_still: is nothing swapped in or out for a second?
stands_still()
{
	local at

	at=$(swap_io)
	! loop_until 10 io_since "$at" 1
}

uptime_ms()
{
	awk '{ print int($1 * 1000) }' /proc/uptime
}

load_begin()
{
	rm -f "$TMP/load.go" "$TMP/load.rc" "$TMP/load.ended" "$TMP/load.nbd"
	[ -n "$LOAD_CG" ] || leave_mib "$LEAVE"
	"$BIN/lowwater" > "$TMP/lowwater" 2>&1 &
	LOWWATER=$!
	undo "kill $LOWWATER 2> /dev/null"
	KILLS=$(vmstat oom_kill)
	SWAPPED=$(swapped) MOVED=$(swap_io) BEGAN=$(uptime_ms)
	# The load is not in the shell's cgroup, and may be killed.
	(
		# shellcheck disable=SC2016 # that shell's own
		sh -c 'echo 0 > /proc/$$/oom_score_adj
			[ ! -e "$0/cgroup.procs" ] || echo $$ > "$0/cgroup.procs"
			exec "$@"' "${LOAD_CG:-/sys/fs/cgroup}" "$BIN/swapload" -n $TASKS -m $EACH -T $TOUCH \
			-W $WRITES -s $SEED -A -G "$TMP/load.go" > "$TMP/load.nbd" 2>&1
		rc=$?
		uptime_ms > "$TMP/load.ended"
		echo $rc > "$TMP/load.rc"
	) &
	# If this shell hangs as well, these are its last words.
	! is_one_of hang "$KNOWN" || say "a hang is known: $EVIDENCE"
	loop_until 600 swapped_or_over $FIRST
	say "$(($(swapped) - SWAPPED)) pages were swapped out before anything goes wrong"
}

load_over()
{
	[ -s "$TMP/load.rc" ]
}

swapped_or_over()
{
	load_over || swapped_since "$SWAPPED" "$1"
}

# load_is KEY: prints a value of swapload's report.
load_is()
{
	awk -v k="swap.$1" '$1 == k { print $2 }' "$TMP/load.nbd"
}

# has_lost: was a task of the load killed, by a signal or for memory?
has_lost()
{
	grep -q '^swap.signal ' "$TMP/load.nbd"
}

# goes_on N: waits until the load has swapped N more pages, or has ended.
goes_on()
{
	local at

	at=$(swap_io)
	loop_until $((DEADLINE * 5)) io_or_over "$at" "$1"
}

io_or_over()
{
	load_over || io_since "$1" "$2"
}

# outcome: prints how the load ended.
#	survived	each task verified all of its pages
#	wrong		a page was not what had been written
#	sigbus		a task was told that a page cannot be read (SIGBUS)
#	oom		a task was killed for memory
#	hang		the load has not ended
#	failed		anything else
outcome()
{
	local bad

	if ! load_over; then
		echo hang
		return
	fi
	bad=$(awk '/^verified / { print $4 }' "$TMP/load.nbd")
	if [ "${bad:-0}" != 0 ]; then
		echo wrong
	elif [ "$(cat "$TMP/load.rc")" = 0 ] &&
			[ "$(load_is proven)" = $((TASKS * EACH * 256)) ]; then
		echo survived
	elif load_is signal | grep -qx 7; then
		echo sigbus
	elif [ "$(vmstat oom_kill)" -gt "$KILLS" ]; then
		echo oom
	else
		echo failed
	fi
}

# nearest: prints the zone that came nearest to empty, as ZONE FREE MIN.
nearest()
{
	awk '{ r = $2 / $3 } NR == 1 || r < least { least = r; line = $0 } END { print line }' \
		"$TMP/lowwater"
}

# stacks_of COMM FROM: the kernel's log has stacks of blocked tasks after the line FROM. This prints
# how many of those with that name wait in which function.
stacks_of()
{
	dmesg | awk -v comm="$1" -v from="$2" '
		!seen { seen = index($0, from); next }
		/ task:/ { inside = index($0, " task:" comm " ") && / state:D / }
		inside && sub(/^.*\] +/, "") && /^[a-z_0-9.]+\+0x/ {
			if (!/^(__)?(io_)?schedule|^__switch_to|mutex_lock|rwsem|^folio_wait_/) { print $1; inside = 0 } }' |
		sort | uniq -c | awk '{ printf "%s%d in %s", sep, $1, $2; sep = ", " }'
}

# hangs COMM WHY: shows on the console which task waits for what, and ends the test after two
# checks: the log must have a stack of COMM, which hangs, that says where it waits. Nothing is
# undone, as that would wait for whatever hangs.
hangs()
{
	local waiting from="reclaimwb-test: who waits $$"

	say "hang: $2; all tasks' stacks are on the console"
	[ -z "$RESULTS" ] || dmesg | tail -n 100 > "$RESULTS/dmesg"
	dmesg -n 8
	echo "$from" > /dev/kmsg
	echo w > /proc/sysrq-trigger
	# Before the stacks of all other tasks, which may be too many for the log.
	waiting=$(stacks_of "$1" "$from")
	echo t > /proc/sysrq-trigger
	dmesg -n 5
	trap - EXIT
	is_one_of hang "$KNOWN" || bail "hang: $2; tasks of $1 that wait: ${waiting:-none has a stack}"
	say "known: $EVIDENCE"
	ktap_test_xfail "hang: $2"
	say "tasks of $1 that wait: ${waiting:-none has a stack}"
	check "the log has a stack that says where it waits" is_match "$waiting" '^[0-9]+ in [a-z_0-9.]+[+]0x'
	skip_checks $((KSFT_NUM_TESTS - KTAP_TESTNO + 1)) "it hangs"
	ktap_finished
}

# is_match TEXT REGEX
is_match()
{
	echo "$1" | grep -qE "$2"
}

# is_one_of WORD WORDS
is_one_of()
{
	case " $2 " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

# load_wait: waits until the load has ended, or hangs. Sets STOOD to the number of seconds at the
# end in which no page was swapped in or out.
load_wait()
{
	local at now

	at=$(swap_io) STOOD=0
	for _ in $(seq "$DEADLINE"); do
		! loop_until 10 load_over || return 0
		now=$(swap_io)
		STOOD=$((STOOD + 1))
		[ "$now" = "$at" ] || STOOD=0
		at=$now
		[ "$STILL" = 0 ] || [ $STOOD -lt "$STILL" ] || return 0
	done
}

# load_end: makes 5 checks (NBD_CHECKS).
load_end()
{
	local low

	touch "$TMP/load.go"
	load_wait
	OUTCOME=$(outcome)
	kill "$LOWWATER" 2> /dev/null
	loop_until 50 test -s "$TMP/lowwater"
	low=$(nearest)
	show_load nbd
	say "outcome: $OUTCOME; $(($(vmstat oom_kill) - KILLS)) OOM kills; lowest: $low (zone, free, min)"
	report_cell "$low"
	[ "$OUTCOME" != hang ] ||
		hangs swapload "the load did not end; no page went either way for the last $STOOD s, of $DEADLINE at most"
	check_num "pages were swapped out" $(($(swapped) - SWAPPED)) -ge $FIRST
	check_not "no page was wrong" test "$OUTCOME" = wrong
	if is_one_of "$OUTCOME" "$EXPECT"; then
		check "the load: $OUTCOME, one of what it may be: $EXPECT" true
	elif is_one_of "$OUTCOME" "$KNOWN"; then
		say "known: $EVIDENCE"
		ktap_test_xfail "the load: $OUTCOME, as on stock, and not: $EXPECT"
	else
		check "the load: $OUTCOME, and not: $EXPECT" false
	fi
	if [ "$SIDE" != helper ]; then
		skip_checks 1 "this side has no handoff"
	else
		check_num "requests were handed off" "$(handed '[a-z_]*\.taken\.requests')" -gt 0
	fi
}

report_cell()
{
	[ -n "$RESULTS" ] || return 0
	{
		echo "outcome $OUTCOME"
		if is_one_of "$OUTCOME" "$EXPECT"; then
			echo "expected yes"
		elif is_one_of "$OUTCOME" "$KNOWN"; then
			echo "expected known $EVIDENCE"
		else
			echo "expected no $EXPECT"
		fi
		echo "proven $(load_is proven)"
		echo "of $((TASKS * EACH * 256))"
		awk '/^verified / { print "touches " $2; print "bad " $4 }' "$TMP/load.nbd"
		echo "longest_us $(load_is longest_us)"
		echo "low $1"
		echo "kills $(($(vmstat oom_kill) - KILLS))"
		echo "swapped_out $(($(swapped) - SWAPPED))"
		echo "moved $(($(swap_io) - MOVED))"
		echo "ms $(($(cat "$TMP/load.ended" 2> /dev/null || uptime_ms) - BEGAN))"
		echo "stood $STOOD"
	} > "$RESULTS/cell"
}

# --- the reserves

need_reserve_hog()
{
	need_mod reservehog
}

reserve_hog_on()
{
	try_load reservehog || bail "insmod: $(cat "$TMP/insmod")"
	undo "rmmod reservehog"
}

reserves_are_back()
{
	[ "$(cat /sys/module/reservehog/parameters/held)" = 0 ]
}

# reserves_down PAGES ROUNDS [AGAIN]: the hog leaves that many free pages in each zone, for 4 s.
# AGAIN times in between, every 0.2 s if this shell gets memory, it takes what has become free
# meanwhile, until it holds 16 MiB: if it held all memory, nothing could survive. Sets HELD and BACK
# to the number of rounds in which it held pages and gave them back.
reserves_down()
{
	local hog=/sys/module/reservehog/parameters at now

	# Nothing can be relied on to run while there is no memory, so the hog itself ends it.
	echo 4000 > $hog/hold_ms
	HELD=0 BACK=0
	for _ in $(seq "$2"); do
		at=$(swap_io)
		echo "$1" > $hog/leave
		for _ in $(seq "${3:-0}"); do
			! loop_until 2 load_over || break
			read -r now < $hog/held
			[ "$now" -lt 4096 ] || break
			echo "$1" > $hog/leave
		done
		read -r now < $hog/held
		[ "$now" = 0 ] || HELD=$((HELD + 1))
		! loop_until 600 reserves_are_back || BACK=$((BACK + 1))
		say "the hog held $now pages; meanwhile $(($(swap_io) - at)) pages were swapped in or out"
		goes_on 500
	done
}

# --- the network

NIC=$(first_nic)
# The tc of busybox does not know netem.
TC=/sbin/tc
need_netem()
{
	[ -x $TC ] || skip_all "no $TC (iproute2)"
	[ -n "$NIC" ] || skip_all "no network device"
	kmod sch_netem || skip_all "no netem in this kernel (CONFIG_NET_SCH_NETEM)"
}

# netem WHAT...: does this to what is sent, always in the same way if tc can take a seed.
netem()
{
	$TC qdisc add dev "$NIC" root netem "$@" seed $SEED 2> /dev/null ||
		$TC qdisc add dev "$NIC" root netem "$@" || bail "netem $*"
	undo "$TC qdisc del dev $NIC root"
}

# netem_is REGEX: does the kernel describe it so?
netem_is()
{
	$TC qdisc show dev "$NIC" | grep -Eq "^qdisc netem .* root .*$1"
}

# netem_count sent|dropped: prints a number of packets.
netem_count()
{
	$TC -s qdisc show dev "$NIC" | awk -v what="$1" '/ Sent / {
		sub(/,/, "", $7); print what == "sent" ? $4 : $7; exit }'
}

# said PATTERN: prints how many such lines the kernel has said since the start.
said()
{
	console_since | grep -cE "$1"
}

# nbd_finish: takes swap off, whatever has become of the device. Makes 1 check (NBD_CHECKS).
nbd_finish()
{
	drop_ballast
	rm -f "$TMP/off"
	(
		sed 1d /proc/swaps > "$TMP/swaps"
		while read -r dev _; do swapoff "$dev"; done < "$TMP/swaps"
		touch "$TMP/off"
	) &
	loop_until $((${SWAPOFF_S:-$DEADLINE} * 10)) test -e "$TMP/off" ||
		hangs swapoff "swapoff did not end in ${SWAPOFF_S:-$DEADLINE} s"
	check_eq "swap devices left" "$(sed 1d /proc/swaps | grep -c .)" 0
	finish
}

# self_attach [nbdself options]: connects $NBD_DEV to a server of this machine, which stores on $DISK.
# The OOM killer leaves the server alone.
self_attach()
{
	local pid

	loop_until 50 nbd_free
	"$BIN/nbdself" -m 256 "$@" "$NBD_DEV" "$DISK" > "$TMP/nbdself" 2>&1 &
	pid=$!
	undo nbd_detach
	loop_until 50 nbd_connected || bail "$(tail -n 1 "$TMP/nbdself")"
	for pid in $pid $(sed -n 's/^nbdself: server //p' "$TMP/nbdself"); do
		# Not in this shell's cgroup, which is never swapped out.
		{ echo -1000 > "/proc/$pid/oom_score_adj" &&
			{ [ "$RWB_IN_OWN" != yes ] || echo "$pid" > /sys/fs/cgroup/cgroup.procs; }; } ||
			bail "the server is not there"
	done
}

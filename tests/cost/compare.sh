#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One guest of scripts/measure/compare.sh. The same load runs again and again, with swap over a slow
# NBD link, each time beside another tool that people reach for first. $RWB_RESULTS/TOOL.txt has what
# the tool printed (TOOL.err, what it complained of), and TOOL.jsonl the module's own recording of the
# same time. table.txt has the numbers of both. The tools are on disk0. RWB_TOOLS names some of those
# below, with a + between them:
#   psi         /proc/pressure/memory, and nothing else
#   delays      delay accounting, by the kernel's getdelays
#   bpftrace    a script: how often tasks reclaim, and for how long
#   offcpu      a script: where they sleep meanwhile
#   drsnoop     of bcc's tools: direct reclaim, call by call
#   offcputime  of bcc's tools: where tasks sleep
#   klockstat   of bcc's tools: which calls wait for locks, and which hold them
#   trace-cmd   the events of direct reclaim
#   perf-trace  the same, by perf record
#   perf-lock   perf lock: who waits for which lock
# nbd: slow
# shellcheck source=../lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

RESULTS=${RWB_RESULTS:-.}
TOOLS=$(echo "${RWB_TOOLS:-}" | tr + ' ')
TOOLS=${TOOLS:-psi delays bpftrace offcpu drsnoop offcputime klockstat trace-cmd perf-trace perf-lock}
# Each task has more than its share of the memory that is there for all of them.
TASKS=3
FREE=120
EACH=$((FREE * 2 / TASKS))
need_mod
need_tool
need_nbd slow
need_disk disk0
need_file /proc/pressure/memory CONFIG_PSI
start_test plan-at-end "what others say of the same load"
set_file /proc/sys/kernel/task_delayacct 1
# What others run in the kernel is not ours to judge.
set_file /proc/sys/kernel/panic_on_warn 0
kmod ext4
disk_attach disk0
ROOT=$TMP/root
mkdir "$ROOT"
mount -t ext4 "$DISK" "$ROOT" || bail "no tools on $DISK"
undo "umount '$ROOT'"
kernel_in "$ROOT"
nbd_swap_on slow

# Direct reclaim, from its begin to its end.
cat > "$ROOT/tmp/reclaim.bt" <<-'SCRIPT'
	tracepoint:vmscan:mm_vmscan_direct_reclaim_begin { @began[tid] = nsecs; }
	tracepoint:vmscan:mm_vmscan_direct_reclaim_end / @began[tid] / {
		$us = (nsecs - @began[tid]) / 1000;
		@us = hist($us); @total_us[comm] = sum($us); @calls = count(); @longest_us = max($us);
		delete(@began[tid]);
	}
	END { clear(@began); }
SCRIPT
# Where tasks sleep in between.
cat > "$ROOT/tmp/offcpu.bt" <<-'SCRIPT'
	tracepoint:vmscan:mm_vmscan_direct_reclaim_begin { @in[tid] = 1; }
	tracepoint:vmscan:mm_vmscan_direct_reclaim_end { delete(@in[tid]); }
	tracepoint:sched:sched_switch / @in[args.prev_pid] / {
		@off[args.prev_pid] = nsecs; @stack[args.prev_pid] = kstack(12);
	}
	tracepoint:sched:sched_switch / @off[args.next_pid] / {
		@us[@stack[args.next_pid]] = sum((nsecs - @off[args.next_pid]) / 1000);
		delete(@off[args.next_pid]); delete(@stack[args.next_pid]);
	}
	END { clear(@in); clear(@off); clear(@stack); }
SCRIPT

# in_root COMMAND...: takes the place of this shell, which must be one of its own.
in_root()
{
	exec chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C "$@" < /dev/null
}

# start_tool TOOL: starts it in the background, and sets PID, and READY to the ms until it was ready.
# Some are no program that runs.
start_tool()
{
	PID='' READY=''
	case $1 in
	psi | delays) return ;;
	bpftrace) set -- "$1" bpftrace /tmp/reclaim.bt ;;
	offcpu) set -- "$1" bpftrace /tmp/offcpu.bt ;;
	drsnoop) set -- "$1" drsnoop-libbpf ;;
	offcputime) set -- "$1" offcputime-libbpf -u -m 1000 --stack-storage-size 16384 ;;
	klockstat) set -- "$1" klockstat-libbpf -n 8 -s 6 ;;
	trace-cmd) set -- "$1" trace-cmd record -o /tmp/trace.dat \
		-e vmscan:mm_vmscan_direct_reclaim_begin -e vmscan:mm_vmscan_direct_reclaim_end ;;
	perf-trace) set -- "$1" perf record -o /tmp/perf.data -a \
		-e vmscan:mm_vmscan_direct_reclaim_begin -e vmscan:mm_vmscan_direct_reclaim_end ;;
	perf-lock) set -- "$1" perf lock record -a -o /tmp/lock.data ;;
	*) bail "no tool $1" ;;
	esac
	local name="$1" began

	shift
	(in_root "$1" --version) 2>&1 | sed -n "/./{s/^/$1: /p;q}" >> "$RESULTS/versions.txt"
	began=$(now_ms)
	in_root "$@" > "$RESULTS/$name.txt" 2> "$RESULTS/$name.err" &
	PID=$!
	case $1 in
	bpftrace | *-libbpf) loop_until 600 attached "$PID" ;;
	esac
	loop_until 240 rests "$PID"
	READY=$(($(now_ms) - began))
}

# attached PID: has it programs of BPF in the kernel? (Or it has ended.) It reads its own program from
# the disk for long before that, and takes no CPU time meanwhile.
attached()
{
	[ ! -d "/proc/$1/fdinfo" ] || grep -qs '^prog_id:' "/proc/$1"/fdinfo/*
}

# tool_runs TOOL: is it there, if it is a program? If not, this shows what it complained of.
tool_runs()
{
	[ -z "$PID" ] || { [ -d "/proc/$PID" ] && ! grep -q '^State:.Z' "/proc/$PID/status"; } ||
		{ tail -n 5 "$RESULTS/$1.err" | show_lines "$1: "; return 1; }
}

# peak_kib: prints how much memory the tool has had at most.
peak_kib()
{
	awk '/^VmHWM:/ { print $2 }' "/proc/$PID/status" 2> /dev/null
}

# rests PID: has it compiled and attached its programs, and waits now? (Or it has ended.)
rests()
{
	local before

	before=$(ticks "$1")
	sleep 3
	[ "$(($(ticks "$1") - before))" -le 5 ]
}

# ticks PID: prints the CPU time that a process and its children have taken.
ticks()
{
	awk '{ sub(/.*\) /, ""); n = $12 + $13 + $14 + $15 } END { print n + 0 }' "/proc/$1/stat" 2> /dev/null || echo 0
}

# said_later TOOL COMMAND...: what the tool has recorded is read by a second command.
said_later()
{
	local name="$1"

	shift
	# What the recorder said is no more than a number of bytes.
	cat "$RESULTS/$name.txt" >> "$RESULTS/$name.err"
	(in_root "$@") > "$RESULTS/$name.txt" 2>> "$RESULTS/$name.err"
}

# stop_tool TOOL
stop_tool()
{
	local killer

	[ -n "$PID" ] || return 0
	kill -INT "$PID" 2> /dev/null
	(sleep 120; kill -KILL "$PID") 2> /dev/null &
	killer=$!
	wait "$PID"
	kill "$killer"
	case $1 in
	trace-cmd) said_later "$1" trace-cmd report -i /tmp/trace.dat ;;
	perf-trace) said_later "$1" perf script -i /tmp/perf.data ;;
	# It prints what it found to stderr.
	perf-lock) said_later "$1" perf lock contention -i /tmp/lock.data -E 20 && cat "$RESULTS/$1.err" >> "$RESULTS/$1.txt" ;;
	esac
}

# load TOOL: tasks that fault at once. Each proves its pages.
load()
{
	local by='' n=0 pids='' pid

	[ "$1" != delays ] || by="getdelays -d -c"
	while [ $n -lt $TASKS ]; do
		n=$((n + 1))
		# shellcheck disable=SC2086 # words
		$by "$BIN/memhog" -s $n -m $EACH -w 300 > "$TMP/load.$n" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	cat "$TMP"/load.* > "$TMP/load"
	[ "$1" != delays ] || cp "$TMP/load" "$RESULTS/delays.txt"
	[ "$(grep -c "verified [1-9][0-9]* pages, 0 bad" "$TMP/load")" = $TASKS ]
}

# between: prints calls, seconds and the longest one, of lines with a begin and an end.
between()
{
	awk '{ for (i = 1; i < NF; i++) if ($i ~ /^[0-9]+\.[0-9]+:$/) break
		task = $0; sub(/\[[0-9]+\].*/, "", task); t = $i + 0 }
		/direct_reclaim_begin/ { began[task] = t }
		/direct_reclaim_end/ && task in began {
			d = t - began[task]; delete began[task]; n++; s += d; if (d > m) m = d
		}
		END { printf "%d %.3f %.3f\n", n, s, m }' "$1"
}

# said TOOL: prints how many calls of reclaim it saw, their seconds, and those of the longest one; a
# dash for what it does not say.
said()
{
	local file="$RESULTS/$1.txt"

	case $1 in
	delays) awk '$1 == "RECLAIM" { getline; n += $1; s += $2; if ($4 + 0 > m) m = $4 + 0 }
		END { printf "%d %.3f %.3f\n", n, s / 1e9, m / 1e3 }' "$file" ;;
	bpftrace) awk '$1 == "@calls:" { n = $2 } $1 == "@longest_us:" { m = $2 } /^@total_us\[/ { s += $NF }
		END { printf "%d %.3f %.3f\n", n, s / 1e6, m / 1e6 }' "$file" ;;
	offcpu) awk '/^\]: [0-9]+$/ { s += $2 } END { printf "- %.3f -\n", s / 1e6 }' "$file" ;;
	drsnoop) awk '$NF ~ /^[0-9]+$/ && $(NF - 1) ~ /^[0-9.]+$/ { n++; s += $(NF - 1); if ($(NF - 1) + 0 > m) m = $(NF - 1) + 0 }
		END { printf "%d %.3f %.3f\n", n, s / 1e3, m / 1e3 }' "$file" ;;
	offcputime) awk -v RS= '/try_to_free_pages/ { s += $NF } END { printf "- %.3f -\n", s / 1e6 }' "$file" ;;
	trace-cmd | perf-trace) between "$file" ;;
	*) echo "- - -" ;;
	esac
}

now_ms() { awk '{ printf "%.0f\n", $1 * 1000 }' /proc/uptime; }
allocstall() { awk '/^allocstall_/ { n += $2 } END { print n }' /proc/vmstat; }

{
	printf '%-10s %7s  %-26s  %-26s %9s %10s %7s %8s\n' '' '' "the tool's own" "the module's" '' '' '' ''
	printf '%-10s %7s  %7s %8s %9s  %7s %8s %9s %9s %10s %7s %8s\n' \
		tool load.s calls s longest.s stalls s longest.s psi.s allocstall ready.s peak.MiB
} > "$RESULTS/table.txt"
for tool in $TOOLS; do
	load_mod
	start_tool "$tool"
	check "$tool runs" tool_runs "$tool"
	# What the tools are read from would be reclaimed first, and nothing be swapped.
	echo 3 > /proc/sys/vm/drop_caches
	leave_mib $FREE
	recorder "$RESULTS/$tool.jsonl"
	began=$(now_ms) some=$(psi some /proc/pressure/memory) calls=$(allocstall)
	check "$tool: every page came back right" load "$tool"
	took=$(($(now_ms) - began)) some=$(($(psi some /proc/pressure/memory) - some)) calls=$(($(allocstall) - calls))
	recorder_end INT || bail "$(cat "$TMP/recorder")"
	drop_ballast
	check "$tool still runs" tool_runs "$tool"
	peak=$(peak_kib)
	stop_tool "$tool"
	# shellcheck disable=SC2046 # three words
	set -- $(said "$tool")
	awk -v tool="$tool" -v ms=$took -v n="${1:--}" -v s="${2:--}" -v longest="${3:--}" -v stalls="$(row stalls direct.stalls)" \
		-v ns="$(row stalls direct.ns)" -v max="$(row stalls direct.longest.ns)" -v some=$some -v calls=$calls \
		-v ready="$READY" -v peak="$peak" 'BEGIN {
		printf "%-10s %7.1f  %7s %8s %9s  %7d %8.3f %9.3f %9.3f %10d %7s %8s\n", tool, ms / 1e3, n, s, longest,
			stalls, ns / 1e9, max / 1e9, some / 1e6, calls,
			ready == "" ? "-" : sprintf("%.1f", ready / 1e3), peak == "" ? "-" : sprintf("%.0f", peak / 1024) }' >> "$RESULTS/table.txt"
	unload_mod
	section "$tool" 3
done
show_lines "" < "$RESULTS/table.txt"
finish

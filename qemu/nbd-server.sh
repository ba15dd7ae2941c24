#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nbd-server.sh: NBD servers for a guest, on loopback only.
#   start NAME[:ARG[,ARG]...] DIR [SIZE]   start the server NAME of nbd-servers.conf, print its port
#   stop DIR NAME | stop DIR               stop one, or all that were started in DIR
#   kill|again|bounce|freeze|thaw|nap|fail|heal DIR NAME
#                                          do that to a server: kill it; start it again, at its port;
#                                          make it answer nothing, or go on (SIGSTOP, SIGCONT); make or
#                                          remove the file NAME.fail (the server "error"); nap: freeze
#                                          it for NAP_S seconds, whatever becomes of others; bounce:
#                                          kill it, and start it again after as many
#   list                                   print the servers there are
# DIR has the files NAME.pid, NAME.port, NAME.stats (requests, when it has stopped) and
# NAME.command.
# RWB_NBD_OWNER=PID: the server also ends when that process does.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/lib.sh"

CONF=$TOP/qemu/nbd-servers.conf
NAP_S=${NAP_S:-4}
usage='usage: nbd-server.sh start NAME[:ARG,...] DIR [SIZE] | stop DIR [NAME] | kill|again|bounce|freeze|thaw|nap|fail|heal DIR NAME | list'

definitions() { sed -e '/^#/d' -e '/^[[:space:]]*$/d' "$CONF"; }

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

start() {
	local name=${1%%:*} extra='' dir=$2 size=${3:-} conf port log relay='' source=''
	local -a args extra_args filters params plugin command
	[ "$name" = "$1" ] || extra=${1#*:}
	have nbdkit || die "nbdkit is missing: apt-get install nbdkit (or scripts/build/deps.sh vm)"
	conf=$(definitions | awk -v name="$name" '$1 == name')
	[ -n "$conf" ] || die "no NBD server '$name' in qemu/nbd-servers.conf; there are: $(definitions | awk '{ print $1 }' | xargs)"
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	! alive "$dir/$name.pid" || die "NBD server $name already runs in $dir (pid $(cat "$dir/$name.pid"))"
	rm -f "$dir/$name".{pid,port,stats,log,ctl,fail,command} "$dir/$name.relay.pid"
	conf=${conf//@DIR@/$dir}
	conf=${conf//@NAME@/$name}
	read -ra args <<<"$conf"
	plugin=(memory "size=${size:-${args[1]}}")
	# The arguments of the call come last: the last value of a parameter counts.
	IFS=, read -ra extra_args <<<"$extra"
	split_arguments "${args[@]:2}" "${extra_args[@]}"
	log=$dir/$name.nbdkit
	if [ -n "$source" ]; then
		listen "$dir/$name" -U "OPEN:$source"
		return
	fi
	# Writes over a file go to a temporary file, which is in memory if possible.
	[ ! -w /dev/shm ] || export TMPDIR=/dev/shm

	# Only binding shows whether a port is free, so try until one is. The ports lie below the
	# range that the kernel gives to clients. nbdkit goes into the background once it listens,
	# so there is nothing to wait for afterwards.
	for _ in {1..50}; do
		port=$((RANDOM % 20000 + 11000))
		command=(nbdkit --ipaddr 127.0.0.1 --port "$port" --pidfile "$dir/$name.pid"
			"${filters[@]}" "${plugin[@]}" "${params[@]}")
		if "${command[@]}" 2>"$log" >/dev/null </dev/null; then
			printf '%s\n' "${command[@]}" >"$dir/$name.command"
			wait_for_pid "$dir/$name"
			if [ -n "$relay" ]; then
				listen "$dir/$name.relay" "$port" "$relay"
				return
			fi
			echo "$port" >"$dir/$name.port"
			echo "$port"
			return
		fi
		grep -q 'Address already in use' "$log" || break
	done
	die "NBD server $name did not start: $(tail -n1 "$log")"
}

# wait_for_pid FILES: nbdkit writes its pid only when it is in the background.
wait_for_pid() {
	for _ in {1..100}; do
		[ ! -s "$1.pid" ] || return 0
		sleep 0.05
	done
	die "$(basename "$1"): nbdkit wrote no $1.pid"
}

# listen FILES -U SOURCE | listen FILES PORT reply|request:BYTES: start socat on a port of its own,
# and print the port. Each connection gets SOURCE without end; or it is relayed to PORT, and broken
# off after so many bytes from the server, or to it. socat ends with the server, or with its owner.
listen() {
	local files=$1 pidfile=$1.pid name port pid master to
	local -a ends flags=()
	have socat || die "socat is missing: apt-get install socat (or scripts/build/deps.sh nbd)"
	name=${files%.relay}
	for _ in {1..50}; do
		port=$((RANDOM % 20000 + 11000))
		ends=("TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork")
		case $2,$3 in
		-U,*) flags=(-U) ends+=("$3") master=${RWB_NBD_OWNER:-} ;;
		*,request:*) ends[0]+=",readbytes=${3#*:}" ends+=("TCP:127.0.0.1:$2") master=$(cat "$name.pid") ;;
		*,reply:*) ends+=("TCP:127.0.0.1:$2,readbytes=${3#*:}") master=$(cat "$name.pid") ;;
		esac
		# -lp is its name in the log, by which `runs` knows it again.
		setsid socat -lp "$pidfile" "${flags[@]}" "${ends[@]}" </dev/null >/dev/null 2>"$files.socat" &
		pid=$!
		to=$(printf '0100007F:%04X 00000000:0000 0A' "$port")
		for _ in {1..100}; do
			! grep -q "$to" /proc/net/tcp || break
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.05
		done
		kill -0 "$pid" 2>/dev/null || continue
		echo "$pid" >"$pidfile"
		if [ -n "$master" ]; then
			# shellcheck disable=SC2016 # that shell's own
			setsid bash -c 'while grep -qs . "/proc/$0/cmdline"; do sleep 2; done
				! grep -qsF -- "$2" "/proc/$1/cmdline" || kill "$1"' \
				"$master" "$pid" "$pidfile" </dev/null >/dev/null 2>&1 &
		fi
		echo "$port" >"$name.port"
		echo "$port"
		return
	done
	die "socat did not start: $(tail -n1 "$files.socat")"
}

# again DIR NAME: run the same command, at the same port. The port may still be taken for a moment.
again() {
	local dir=$1 name=$2
	local -a command
	[ -s "$dir/$name.command" ] || die "no NBD server $name was started in $dir"
	! alive "$dir/$name.pid" || die "NBD server $name still runs in $dir"
	mapfile -t command <"$dir/$name.command"
	for _ in {1..50}; do
		if "${command[@]}" 2>"$dir/$name.nbdkit" >/dev/null </dev/null; then
			wait_for_pid "$dir/$name"
			return
		fi
		sleep 0.1
	done
	die "NBD server $name did not start again: $(tail -n1 "$dir/$name.nbdkit")"
}

# befall WHAT DIR NAME
befall() {
	local what=$1 dir=$2 name=$3
	dir=$(cd "$dir" && pwd) || die "no NBD servers in $2"
	case $what in
	again) again "$dir" "$name"; return ;;
	fail) touch "$dir/$name.fail"; return ;;
	heal) rm -f "$dir/$name.fail"; return ;;
	esac
	alive "$dir/$name.pid" || die "NBD server $name does not run in $dir"
	case $what in
	kill) kill -KILL "$(cat "$dir/$name.pid")" && rm -f "$dir/$name.pid" ;;
	bounce)
		kill -KILL "$(cat "$dir/$name.pid")" && rm -f "$dir/$name.pid"
		# shellcheck disable=SC2016 # that shell's own
		setsid bash -c 'sleep "$1" && exec "$0" again "$2" "$3"' "$TOP/qemu/nbd-server.sh" "$NAP_S" \
			"$dir" "$name" </dev/null >/dev/null 2>&1 & ;;
	freeze) kill -STOP "$(cat "$dir/$name.pid")" ;;
	thaw) kill -CONT "$(cat "$dir/$name.pid")" ;;
	nap)
		# shellcheck disable=SC2016 # that shell's own
		setsid bash -c 'kill -STOP "$0" && sleep "$1" && kill -CONT "$0"' \
			"$(cat "$dir/$name.pid")" "$NAP_S" </dev/null >/dev/null 2>&1 & ;;
	esac
}

# Filters come before the plugin, parameters after it, and each parameter once. These are ours, not
# nbdkit's: image=FILE, reply-bytes=N, request-bytes=N, source=FILE.
split_arguments() {
	local arg key
	local -A last=()
	local -a order=()
	filters=() params=()
	if [ -n "${RWB_NBD_OWNER:-}" ]; then
		filters+=(--filter=exitwhen)
		params+=("exit-when-process-exits=$RWB_NBD_OWNER" exit-when-poll=2)
	fi
	for arg; do
		case $arg in
		-*) filters+=("$arg") ;;
		*=*)
			key=${arg%%=*}
			case $key in
			image) plugin=(file "file=${arg#*=}")
				[ -e "${arg#*=}" ] || truncate -s "${size:-${args[1]}}" "${arg#*=}" || die "cannot make ${arg#*=}"
				continue ;;
			reply-bytes | request-bytes) relay=${key%-bytes}:${arg#*=}; continue ;;
			source) source=${arg#*=}; continue ;;
			esac
			[ -n "${last[$key]:-}" ] || order+=("$key")
			last[$key]=$arg ;;
		*) die "nbdkit argument '$arg' is neither --option nor name=value" ;;
		esac
	done
	for key in "${order[@]}"; do
		params+=("${last[$key]}")
	done
	# This filter is the innermost, so that the other filters see every write.
	[ -z "${last[file]:-}" ] || filters+=(--filter=cow) plugin=(file)
}

# runs PID FILE: is it still the server that wrote NAME.pid? Another process may have that pid by
# now.
runs() { tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF -- "$2"; }

stop() {
	local pidfile pid
	for pidfile; do
		[ -s "$pidfile" ] || continue
		pid=$(cat "$pidfile")
		! runs "$pid" "$pidfile" || kill "$pid" 2>/dev/null || true
	done
	for pidfile; do
		[ -s "$pidfile" ] || continue
		pid=$(cat "$pidfile")
		for _ in {1..100}; do
			runs "$pid" "$pidfile" || break
			sleep 0.05
		done
		! runs "$pid" "$pidfile" || kill -9 "$pid" 2>/dev/null || true
		rm -f "$pidfile" "${pidfile%.pid}.port"
	done
}

case ${1:-} in
start)
	[ $# -ge 3 ] || die "$usage"
	start "${@:2}" ;;
stop)
	[ $# -ge 2 ] || die "$usage"
	[ -d "$2" ] || exit 0
	dir=$(cd "$2" && pwd)
	if [ $# -ge 3 ]; then
		stop "$dir/$3.pid"
	else
		stop "$dir"/*.pid
	fi ;;
kill | again | bounce | freeze | thaw | nap | fail | heal)
	[ $# = 3 ] || die "$usage"
	befall "$@" ;;
list) definitions ;;
*) die "$usage" ;;
esac

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nbd-server.sh: NBD servers for a guest, on loopback only.
#   start NAME[:ARG[,ARG]...] DIR [SIZE]   start the server NAME of nbd-servers.conf, print its port
#   stop DIR NAME | stop DIR               stop one, or all that were started in DIR
#   list                                   the servers there are
# Files in DIR: NAME.pid, NAME.port, NAME.stats (requests, when it has stopped).
# RWB_NBD_OWNER=PID: the server also ends when that process does.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

CONF=$TOP/qemu/nbd-servers.conf
usage='usage: nbd-server.sh start NAME[:ARG,...] DIR [SIZE] | stop DIR [NAME] | list'

definitions() { sed -e '/^#/d' -e '/^[[:space:]]*$/d' "$CONF"; }

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

start() {
	local name=${1%%:*} extra='' dir=$2 size=${3:-} conf port log
	local -a args extra_args filters params plugin
	[ "$name" = "$1" ] || extra=${1#*:}
	have nbdkit || die "nbdkit is missing: apt-get install nbdkit (or scripts/deps.sh vm)"
	conf=$(definitions | awk -v name="$name" '$1 == name')
	[ -n "$conf" ] || die "no NBD server '$name' in qemu/nbd-servers.conf; there are: $(definitions | awk '{ print $1 }' | xargs)"
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	! alive "$dir/$name.pid" || die "NBD server $name already runs in $dir (pid $(cat "$dir/$name.pid"))"
	rm -f "$dir/$name".{pid,port,stats,log,ctl}
	conf=${conf//@DIR@/$dir}
	conf=${conf//@NAME@/$name}
	read -ra args <<<"$conf"
	plugin=(memory "size=${size:-${args[1]}}")
	# What was asked for comes last: the last value of a parameter holds.
	IFS=, read -ra extra_args <<<"$extra"
	split_arguments "${args[@]:2}" "${extra_args[@]}"
	log=$dir/$name.nbdkit
	# What is written over a file goes to a temporary file: in memory where that can be.
	[ ! -w /dev/shm ] || export TMPDIR=/dev/shm

	# Binding is what decides about a port, so try until one is free. They lie
	# below the range the kernel gives to clients. nbdkit goes into the
	# background once it listens: there is nothing to wait for afterwards.
	for _ in {1..50}; do
		port=$((RANDOM % 20000 + 11000))
		if nbdkit --ipaddr 127.0.0.1 --port "$port" --pidfile "$dir/$name.pid" \
				"${filters[@]}" "${plugin[@]}" "${params[@]}" 2>"$log" >/dev/null </dev/null; then
			echo "$port" >"$dir/$name.port"
			echo "$port"
			return
		fi
		grep -q 'Address already in use' "$log" || break
	done
	die "NBD server $name did not start: $(tail -n1 "$log")"
}

# Filters before the plugin, parameters after it, each parameter once.
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
			[ -n "${last[$key]:-}" ] || order+=("$key")
			last[$key]=$arg ;;
		*) die "nbdkit argument '$arg' is neither --option nor name=value" ;;
		esac
	done
	for key in "${order[@]}"; do
		params+=("${last[$key]}")
	done
	# Innermost, so that the other filters see every write.
	[ -z "${last[file]:-}" ] || filters+=(--filter=cow) plugin=(file)
}

# Is it still the server that wrote NAME.pid? A pid may be given away again.
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
list) definitions ;;
*) die "$usage" ;;
esac

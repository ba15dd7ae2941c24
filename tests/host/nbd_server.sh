#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What can happen to the servers of qemu/nbd-server.sh: they are killed, started again at the same
# port with the same content, frozen, and broken off after a number of bytes.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

server=$TOP/qemu/nbd-server.sh
dir=$scratch/nbd
trap '"$server" stop "$dir"; rm -rf "$scratch"' EXIT
ktap_print_header
ktap_set_plan 12

# greeting PORT BYTES: prints the server's first bytes, as many of them as come.
greeting() { timeout 5 bash -c "head -c $2 </dev/tcp/127.0.0.1/$1" 2>/dev/null; }
greets() { [ "$(greeting "$1" 8)" = NBDMAGIC ]; }
silent() { ! greets "$1"; }
# The signal has been sent when the command ends, but it may arrive later.
is_stopped() {
	for _ in {1..50}; do
		! grep -q '^State:.*stopped' "/proc/$(cat "$dir/$1.pid")/status" || return 0
		sleep 0.1
	done
	return 1
}

port=$("$server" start same "$dir" 1M)
ktap_test_result "a server answers" greets "$port"
printf kept | dd of="$dir/shared.img" bs=1 seek=4096 conv=notrunc status=none
refuses "it cannot be started twice" "already runs" "$server" start same "$dir" 1M
refuses "it cannot be started again while it runs" "still runs" "$server" again "$dir" same
"$server" kill "$dir" same
ktap_test_result "a killed server does not answer" silent "$port"
refuses "nothing can be done to a server that does not run" "does not run" "$server" freeze "$dir" same
"$server" again "$dir" same
ktap_test_result "started again, it answers at the same port" greets "$port"
ktap_test_result "it has the same content" test "$(dd if="$dir/shared.img" bs=1 skip=4096 count=4 status=none)" = kept
"$server" freeze "$dir" same
ktap_test_result "a frozen server stands still" is_stopped same
"$server" thaw "$dir" same
ktap_test_result "thawed, it goes on" greets "$port"

# The greeting has 18 bytes.
port=$("$server" start truncate:reply-bytes=11 "$dir" 1M)
ktap_test_result "a reply breaks off after that many bytes" test "$(greeting "$port" 18 | wc -c)" = 11
port=$("$server" start flood "$dir")
ktap_test_result "a flood sends as much as one reads" test "$(greeting "$port" 1000000 | wc -c)" = 1000000
"$server" stop "$dir"
ktap_test_result "after a stop nothing is left" test "$(find "$dir" -name '*.pid' | wc -l)" = 0

ktap_finished

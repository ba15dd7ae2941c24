#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# reclaimwb top in a real terminal (tmux): the ledgers change while it runs, every key and several
# sizes are tried, terminals lack colour or UTF-8, and the terminal is given back however it ends.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

ktap_print_header
if ! command -v tmux >/dev/null; then
	echo "1..0 # SKIP no tmux (scripts/build/deps.sh host)"
	exit 4
fi

crate=$TOP/tool
# qemu/suite/host.py has just tested the tool in this folder.
target=${CARGO_TARGET_DIR:-$(. "$TOP/scripts/lib/lib.sh" && cargo_target)}
tool=$target/debug/reclaimwb
if ! (cd "$crate" && CARGO_TARGET_DIR=$target cargo build --quiet --locked) >"$scratch/build" 2>&1; then
	sed 's/^/# /' "$scratch/build"
	echo "1..1"
	echo "not ok 1 the tool builds"
	exit 1
fi

# tm ARG...: calls a tmux server of our own, which nobody's settings change.
printf 'set -g status off\nset -g default-terminal screen\n' >"$scratch/tmux.conf"
# Each terminal has its own server: a server that is told to end may still accept the next terminal.
terminals=0
tm() { tmux -u -S "$scratch/tmux$terminals" -f "$scratch/tmux.conf" "$@"; }
grower=
cleanup() {
	tm kill-server 2>/dev/null
	[ -z "$grower" ] || kill "$grower" 2>/dev/null
	rm -rf "$scratch"
}
trap cleanup EXIT

# --- ledgers that grow

python3 - "$crate/tests/fixtures/stalls.json" "$scratch/ledgers.0" <<'PYTHON'
import json, os, sys
os.mkdir(sys.argv[2])
for name, ledger in json.load(open(sys.argv[1]))["ledgers"].items():
    with open(os.path.join(sys.argv[2], name), "w") as f:
        f.writelines(row + "\n" for row in ledger["rows"])
PYTHON

# show N: makes the Nth folder the ledgers' folder, between two reads.
show() { ln -sfn "ledgers.$1" "$scratch/next" && mv -T "$scratch/next" "$scratch/reclaimwb"; }

# grow: adds five stalls of 20 ms and 100 pages ten times a second, until there is a file `grown`.
grow() {
	local n=0 dir
	while [ ! -e "$scratch/grown" ] && sleep 0.1; do
		n=$((n + 1)) dir=$scratch/ledgers.$n
		cp -rl "$scratch/ledgers.0" "$dir"
		rm "$dir/stalls" "$dir/writes"
		awk -v n=$n '$1 == "direct.stalls" { $2 += 5 * n } $1 == "direct.ns" { printf "%s %.0f\n", $1, $2 + 1e8 * n; next } 1' \
			"$scratch/ledgers.0/stalls" >"$dir/stalls"
		awk -v n=$n '$1 == "direct.anon.io.pages" || $1 == "total.pages" { $2 += 100 * n } 1' \
			"$scratch/ledgers.0/writes" >"$dir/writes"
		show $n
	done
}

# --- what the screen shows

screen() { tm capture-pane -p; }
shows() { screen | grep -qE -- "$1"; }
lacks() { ! shows "$1"; }
# soon COMMAND...: the command succeeds within ten seconds. If not, the screen is shown.
soon() {
	local n
	for n in {1..100}; do
		! "$@" || return 0
		sleep 0.1
	done
	ktap_print_msg "not within ten seconds: $*"
	screen | sed 's/^/# | /'
	return 1
}
press() { tm send-keys "$@"; }
line() { screen | sed -n "$1p"; }
# footer N: the last line, the Nth, shows the keys.
footer() { line "$1" | grep -q '^ q quit  o origin  c cgroup  t task  s sort  p pause  r reset  ? help'; }
# total: prints the number of all stalls, which is in the frame's third line.
total() { line 3 | awk '$1 == "stalls" { gsub(",", "", $3); print $3 }'; }
grows() {
	local first
	first=$(total)
	soon more_than "$first"
}
more_than() { [ -n "$1" ] && [ "$(total)" -gt "$1" ] 2>/dev/null; }
stands() {
	local first
	first=$(total)
	sleep 1.5
	[ -n "$first" ] && [ "$(total)" = "$first" ]
}
rows_first() { line 10 | grep -q "^$1 "; }

# run ENVIRONMENT ARG...: runs top in a new terminal of 80x24, which then shows how it ended.
run() {
	local env=$1
	shift
	tm kill-server 2>/dev/null
	terminals=$((terminals + 1))
	rm -f "$scratch"/{stty.before,stty.after,pid}
	cat >"$scratch/run" <<-SCRIPT
	${before_run:-:}
	settings() { stty -a | sed 's/rows [0-9]*; columns [0-9]*;//'; }
	settings >'$scratch/stty.before'
	$env sh -c 'echo \$\$ >"\$0"; exec "\$@"' '$scratch/pid' '$tool' top --debugfs '$scratch/reclaimwb' $*
	echo "ended with \$?"
	settings >'$scratch/stty.after'
	exec sleep 1000
	SCRIPT
	tm new-session -d -x 80 -y 24 "exec bash '$scratch/run'"
}
# given_back: the terminal has its settings (but for the size, which is tmux's), its screen and its
# cursor.
given_back() {
	soon test -s "$scratch/stty.after" && cmp "$scratch/stty.before" "$scratch/stty.after" &&
		[ "$(tm display-message -p '#{alternate_on} #{cursor_flag}')" = "0 1" ]
}

ktap_set_plan 40
show 0
grow &
grower=$!

run "TERM=screen LC_ALL=C" --interval 300ms
holds "it draws itself" soon shows 'reclaimwb top.*every 300ms'
holds "it shows the module's state" shows 'recording, write-around on, handoff off'
holds "the last line has the keys" footer 24
holds "origins come first" shows '^-- by origin -- sorted by STALLED -'
holds "a rate, when there are two samples" soon shows '^stalls +[1-9][0-9.]* '
holds "it shows stalled time" shows '^stalled +[1-9][0-9.]* %'
holds "it shows written pages" shows '^written +[1-9][0-9,.]* '
holds "an origin has its row" shows '^direct +[1-9][0-9.]* +[1-9][0-9.]* % +[1-9]'
holds "it follows the ledgers" grows

press c
holds "c: by cgroup" soon shows '^/rwb-limited '
press t
holds "t: by task" soon shows '^ memhog\[150\] +3\.129 s 87 % lock of the NBD connection'
press o
holds "o: by origin again" soon rows_first 'ORIGIN'
press s
holds "s: sorted by the next column" soon shows 'sorted by WRITTEN/S'
press S
holds "S: sorted by the column before" soon shows 'sorted by STALLED'
press '?'
holds "?: help" soon shows 'Ctrl-L +redraw everything'
press '?'
holds "?: the help goes" soon rows_first 'ORIGIN'
press p
holds "p: paused" soon shows 'PAUSED'
holds "p: nothing moves" stands
press p
soon lacks 'PAUSED' >/dev/null
holds "p: it goes on" grows
press r
holds "r: totals from now" soon shows 'a second +since [0-9]+ s'

tm resize-window -x 60 -y 10
holds "too small: it says what it needs" soon shows 'needs 80 columns and 20 rows'
holds "too small: it says what there is" shows 'has 60 and 10'
tm resize-window -x 120 -y 40
holds "larger: the new last line has the keys" soon footer 40
holds "larger: columns that did not fit are there" shows 'STALLED FOR'
tm resize-window -x 80 -y 24
holds "80x24 again: the last line has the keys" soon footer 24
holds "80x24 again: nothing is left of other sizes" lacks 'STALLED FOR|needs 80'

# A key and a sample come at the same time: top is stopped until both are there.
kill -STOP "$(cat "$scratch/pid")"
press q
sleep 0.5
kill -CONT "$(cat "$scratch/pid")"
holds "q: it ends, with a sample due" soon shows '^ended with 0'
holds "q: it gives the terminal back" given_back

run "TERM=vt100 LC_ALL=en_US.UTF-8" --by task
holds "vt100: it draws itself" soon shows 'by task'
plain() {
	! screen | LC_ALL=C grep -q '[^ -~]' || return 1
	! tm capture-pane -pe | grep -qE $'\e\\[([0-9;]*;)?[349][0-8]m'
}
holds "vt100: it uses ASCII, without colour" plain
kill -TERM "$(cat "$scratch/pid")"
holds "SIGTERM: it ends because of it" soon shows '^ended with 143'
holds "SIGTERM: it gives the terminal back" given_back

run "TERM=linux LC_ALL=C.UTF-8"
holds "a locale with UTF-8: lines" soon shows '── by origin ──'
press C-c
holds "Ctrl-C: it ends" soon shows '^ended with 0'

run "TERM=screen LC_ALL=C"
holds "another one draws itself" soon footer 24
gone() { ! kill -0 "$(cat "$scratch/pid")" 2>/dev/null; }
tm kill-server
holds "its terminal is gone: it ends" soon gone

# A serial line does not know its size.
before_run='stty rows 0 cols 0' run "TERM=vt220 LC_ALL=C"
holds "a line without a size: 80x24" soon footer 24
# The ledgers go while it runs, as when the module is unloaded.
touch "$scratch/grown"
wait "$grower" 2>/dev/null
grower=
rm "$scratch/reclaimwb"
holds "no ledgers any more: one line says so" soon shows '^reclaimwb: no .*the module is not loaded'
holds "it ends with a failure" soon shows '^ended with 1'
holds "it gives the terminal back even so" given_back

ktap_finished

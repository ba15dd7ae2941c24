# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Memory in use: a hog fills memory, and verifies it in the end.
#
#	hog_start NAME [memhog options]	begins to fill it, in the background
#	hog_filled NAME			waits until it is filled (and paged out)
#	hog_done NAME			lets the hog verify, and fails if a page is wrong

HOG_CG=

hog_start()
{
	local name="$1"

	shift
	rm -f "$TMP/$name.ready" "$TMP/$name.go"
	if [ -n "$HOG_CG" ]; then
		set -- in_cg "$HOG_CG" "$BIN/memhog" "$@"
	else
		set -- "$BIN/memhog" "$@"
	fi
	"$@" -R "$TMP/$name.ready" -G "$TMP/$name.go" > "$TMP/$name.log" 2>&1 &
	echo $! > "$TMP/$name.pid"
	undo "hog_kill $name"
}

# hog_in CGROUP_DIR NAME [memhog options]
hog_in()
{
	HOG_CG=$1
	shift
	hog_start "$@"
	HOG_CG=
}

hog_is_filled()
{
	[ -e "$TMP/$1.ready" ] || ! kill -0 "$(cat "$TMP/$1.pid")" 2> /dev/null
}

hog_filled()
{
	loop_until 1800 hog_is_filled "$1"
	[ -e "$TMP/$1.ready" ] || bail "hog $1 did not fill: $(tail -n 1 "$TMP/$1.log")"
}

hog_go()
{
	touch "$TMP/$1.go"
}

# page_out NAME [memhog options]: fills memory and pages it out (MADV_PAGEOUT), between the
# snapshots "before" and "after".
page_out()
{
	snap before
	hog_start "$@" -p
	hog_filled "$1"
	quiesce
	snap after
}

hog_done()
{
	local rc

	hog_go "$1"
	wait "$(cat "$TMP/$1.pid")"
	rc=$?
	rm -f "$TMP/$1.pid"
	show_lines "$1: " < "$TMP/$1.log"
	# It must have verified something, not only ended without an error.
	[ "$rc" = 0 ] && grep -q "verified [1-9][0-9]* pages, 0 bad" "$TMP/$1.log"
}

# hog_kill NAME: its memory is free when this returns.
hog_kill()
{
	[ -e "$TMP/$1.pid" ] || return 0
	kill "$(cat "$TMP/$1.pid")" 2> /dev/null
	wait "$(cat "$TMP/$1.pid")" 2> /dev/null
	rm -f "$TMP/$1.pid"
}

# squeezed_until SECONDS MET: waits until the function MET succeeds. Meanwhile the watermarks go up
# and down. A task that wants a page while they are up must reclaim for itself, however well kswapd
# keeps up.
MARKS=/proc/sys/vm/min_free_kbytes
MARKS_OLD=
squeezed_until()
{
	local rc=0

	undo lower_marks
	loop_until $(($1 * 10)) met_or_squeezed "$2" || rc=1
	lower_marks
	[ "$rc" = 0 ] || say "$2 has not come true in $1 s"
	return "$rc"
}

met_or_squeezed()
{
	! "$1" || return 0
	if [ -n "$MARKS_OLD" ]; then
		lower_marks
	else
		MARKS_OLD=$(cat "$MARKS")
		# This is above the old high watermark. Some tasks wait for the reserves then.
		echo $((MARKS_OLD * 2)) > "$MARKS"
	fi
	return 1
}

lower_marks()
{
	[ -z "$MARKS_OLD" ] || echo "$MARKS_OLD" > "$MARKS"
	MARKS_OLD=
}

# press_until SECONDS MET [memhog options]: tasks take memory and write to it over and over, under
# moving watermarks, until MET succeeds. Each of their pages must verify.
press_until()
{
	local seconds="$1" met="$2" rc=0

	shift 2
	rm -f "$TMP/press.end"
	hog_start press -E "$TMP/press.end" "$@"
	squeezed_until "$seconds" "$met" || rc=1
	touch "$TMP/press.end"
	hog_filled press
	hog_done press || rc=1
	return "$rc"
}

# leave_mib N: locks memory away until a task can take about N MiB before it must reclaim. A little
# data then makes real pressure, whatever the size of the machine.
BALLASTS=0
leave_mib()
{
	# MemAvailable counts what can be had until kswapd stops. A task can take more before it
	# must reclaim.
	local take=$(($(mem_mib MemAvailable) + $(wmark_mib high) - $(wmark_mib min) - $1))

	[ "$take" -le 0 ] || ballast "$take"
}

# ballast MIB: locks that much memory away.
ballast()
{
	BALLASTS=$((BALLASTS + 1))
	hog_start "ballast$BALLASTS" -l -H -c zero -m "$1"
	hog_filled "ballast$BALLASTS"
}

drop_ballast()
{
	while [ "$BALLASTS" -gt 0 ]; do
		hog_kill "ballast$BALLASTS"
		BALLASTS=$((BALLASTS - 1))
	done
}

# pressure TYPE [memhog options]: two tasks take the LEFT MiB that are there for them, and more,
# until ENOUGH pages were swapped out, however much memory others free meanwhile (KASAN's quarantine
# holds as much). Each page of the tasks must verify. The ballast stays for the next time. On a
# kernel with checkers it goes before the pages are verified: there it costs 30 ms to read a page
# back over NBD while another page must go.
LEFT=32
ENOUGH=3072
VERIFY=-r
if is_debug_kernel; then
	LEFT=24
	ENOUGH=1024
	VERIFY=
fi
pressure()
{
	local type="$1"

	shift
	[ "$BALLASTS" -gt 0 ] || leave_mib "$LEFT"
	hog_start press -t "$type" -n 2 -m 512 -U "$ENOUGH" $VERIFY "$@"
	hog_filled press
	! is_debug_kernel || drop_ballast
	hog_done press && [ "$(grep -c "verified [1-9][0-9]* pages, 0 bad" "$TMP/press.log")" = 2 ]
}

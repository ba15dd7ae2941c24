# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Memory in use: hogs hold content that they prove in the end.
#
#	hog_start NAME [memhog options]	filling begins in the background
#	hog_filled NAME			wait until it is filled (and paged out)
#	hog_done NAME			let it verify; fails if a page is wrong

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

# page_out NAME [memhog options]: memory is filled and paged out (MADV_PAGEOUT), between the
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
	# It must have proven something, not only ended well.
	[ "$rc" = 0 ] && grep -q "verified [1-9][0-9]* pages, 0 bad" "$TMP/$1.log"
}

# hog_kill NAME: its memory is back when this returns.
hog_kill()
{
	[ -e "$TMP/$1.pid" ] || return 0
	kill "$(cat "$TMP/$1.pid")" 2> /dev/null
	wait "$(cat "$TMP/$1.pid")" 2> /dev/null
	rm -f "$TMP/$1.pid"
}

# squeezed_until SECONDS MET: MET, a function, is true. While it is not, the watermarks go up
# and down: who wants a page while they are up has to reclaim for itself, however well
# kswapd keeps up.
MARKS=/proc/sys/vm/min_free_kbytes
MARKS_OLD=
squeezed_until()
{
	local rc=0

	undo lower_marks
	loop_until $(($1 * 10)) met_or_squeezed "$2" || rc=1
	lower_marks
	[ "$rc" = 0 ] || say "$2 is not met after $1 s"
	return "$rc"
}

met_or_squeezed()
{
	! "$1" || return 0
	if [ -n "$MARKS_OLD" ]; then
		lower_marks
	else
		MARKS_OLD=$(cat "$MARKS")
		# Above the high watermark of before. Some tasks wait for the reserves then, too.
		echo $((MARKS_OLD * 2)) > "$MARKS"
	fi
	return 1
}

lower_marks()
{
	[ -z "$MARKS_OLD" ] || echo "$MARKS_OLD" > "$MARKS"
	MARKS_OLD=
}

# press_until SECONDS MET [memhog options]: tasks take memory and write it over and over, until
# MET, squeezed; each page of theirs must prove right.
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

# leave_mib N: lock away memory until a task can take about N MiB before it has
# to reclaim: little data makes real pressure, whatever the machine's size.
BALLASTS=0
leave_mib()
{
	# What is said to be available ends where kswapd stops, not where it fails.
	local take=$(($(mem_mib MemAvailable) + $(wmark_mib high) - $(wmark_mib min) - $1))

	[ "$take" -le 0 ] || ballast "$take"
}

# ballast MIB: lock away so much.
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

# pressure TYPE [memhog options]: two tasks take the LEFT MiB there are for them, and
# more, until ENOUGH pages were swapped out, however much others give back meanwhile
# (KASAN's quarantine holds as much). Each task's pages must prove right. The ballast
# stays, for the next time; but with checkers a page that is read back over NBD while
# another must go costs 30 ms, so there it goes first.
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

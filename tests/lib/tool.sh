# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The reclaimwb command, and one recording at a time that it makes in the background.

TOOL=$(command -v reclaimwb) || TOOL=$TESTS/../out/bin/reclaimwb
RECORDER=

need_tool()
{
	[ -x "$TOOL" ] || skip_all "no reclaimwb command: run 'make tool'"
}

# recorder FILE OPTIONS...: one that has begun: its first lines, the ledgers of the
# beginning among them, are in the file. What it says goes to $TMP/recorder.
recorder()
{
	local file="$1"

	shift
	"$TOOL" record -o "$file" "$@" > "$TMP/recorder" 2>&1 &
	RECORDER=$!
	undo "recorder_kill"
	loop_until 300 recorded "$file" 2 || bail "the recorder did not begin: $(cat "$TMP/recorder")"
}

# recorded FILE N: so many lines of the recording that is being made are there.
recorded()
{
	[ "$(grep -c . "$1.partial" 2> /dev/null)" -ge "$2" ] 2> /dev/null
}

# recorder_end SIGNAL: returns its exit code.
recorder_end()
{
	local rc=0

	kill "-$1" "$RECORDER"
	wait "$RECORDER" || rc=$?
	RECORDER=
	return $rc
}

recorder_kill()
{
	[ -n "$RECORDER" ] || return 0
	kill -KILL "$RECORDER"
	# Its instance goes with the next recorder.
	wait "$RECORDER" 2> /dev/null
	RECORDER=
}

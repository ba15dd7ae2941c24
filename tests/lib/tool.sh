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

# recorder FILE OPTIONS...: starts a recording. When it returns, the file has the first lines, among
# them the ledgers of the beginning. What the command says goes to $TMP/recorder.
recorder()
{
	local file="$1"

	shift
	"$TOOL" record -o "$file" "$@" > "$TMP/recorder" 2>&1 &
	RECORDER=$!
	undo "recorder_kill"
	loop_until 300 recorded "$file" 2 || bail "the recorder did not begin: $(cat "$TMP/recorder")"
}

# recorded FILE N: does the unfinished recording have that many lines?
recorded()
{
	[ "$(grep -c . "$1.partial" 2> /dev/null)" -ge "$2" ] 2> /dev/null
}

# recorder_end SIGNAL: ends it, and returns its exit code.
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
	# The next recorder removes its trace instance.
	wait "$RECORDER" 2> /dev/null
	RECORDER=
}

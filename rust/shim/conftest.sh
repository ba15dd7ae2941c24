#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Usage: conftest.sh OUT.h CHECK_EVENT.c COMPILER FLAGS...
#
# Writes a header that defines RWB_HAVE_<event> for every probe entry: 1 if this kernel still has
# the prototype that the entry was written for, otherwise 0. If an event has changed, the module
# still builds, and only the ledger of the event is missing. The module names the event when it
# loads.
set -eu

out=$1
src=$2
shift 2

log=$(mktemp)
trap 'rm -f "$log" "$out.tmp"' EXIT

# all HEADER CHECKS COMPILER FLAGS...: succeeds if the compiler accepts all checks.
all() {
	header=$1
	wanted=$2
	shift 2
	"$@" -fsyntax-only "-DRWB_HEADER=\"$header\"" "-DRWB_CHECKS=$wanted" "$src" >"$log" 2>&1
}

# checks EVENT...: prints the checks of the events.
checks()
{
	for event; do printf 'RWB_CHECK(%s); ' "$event"; done
}

# rows NAME "EVENT..." COMPILER FLAGS...: prints a row for each event. If the events do not compile
# together, it tries one half and then the other, because few have changed, and each try takes
# seconds.
rows()
(
	name=$1
	events=$2
	shift 2
	# shellcheck disable=SC2086 # words
	if all "$name" "$(checks $events)" "$@"; then
		printf '#define RWB_HAVE_%s 1\n' $events
		exit
	fi
	half=$(($(echo "$events" | wc -w) / 2))
	if [ "$half" = 0 ]; then
		if grep -qE "(undeclared|implicit declaration).*'check_trace_callback_type_$events'" "$log"; then
			echo "  MISSING $events: this kernel has no such event" >&2
		else
			echo "  CHANGED $events: $(grep -m1 'error:' "$log")" >&2
		fi
		echo "#define RWB_HAVE_$events 0"
		exit
	fi
	rows "$name" "$(echo "$events" | cut -d' ' -f-$half)" "$@"
	rows "$name" "$(echo "$events" | cut -d' ' -f$((half + 1))-)" "$@"
)

# header NAME COMPILER FLAGS...: prints the rows of the events of a header.
header()
{
	name=$1
	shift
	events=$(sed -n 's/.*void rwb_probe_\([a-z0-9_]*\)(void \*data.*/\1/p' \
		"$(dirname "$src")/$name" | sort -u | tr '\n' ' ')
	events=${events% }
	[ -n "$events" ] || { echo "conftest: no probe entries in $name" >&2; exit 1; }
	# shellcheck disable=SC2086 # words
	if all "$name" "$(checks $events)" "$@"; then
		printf '#define RWB_HAVE_%s 1\n' $events
		return
	fi
	# A failure that is not due to a prototype (a missing header, a bad flag) must stop the
	# build. It must not switch the probes off one by one.
	if [ "$name" = probes.h ] && ! all "$name" "RWB_CHECK(mm_vmscan_write_folio)" "$@"; then
		cat "$log" >&2
		echo "conftest: mm_vmscan_write_folio changed, or the kernel's headers do not compile: nothing to record without it" >&2
		exit 1
	fi
	rows "$name" "$events" "$@"
}

{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	echo "/* Made by conftest.sh: which events have the expected prototype. */"
	header probes.h "$@"
	header probes_ext4.h "$@"
} >"$out.tmp"
mv "$out.tmp" "$out"

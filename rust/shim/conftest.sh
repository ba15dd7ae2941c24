#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Usage: conftest.sh OUT.h CHECK_EVENT.c COMPILER FLAGS...
#
# Writes a header that defines RWB_HAVE_<event> for every probe entry: 1 if this
# kernel still has the prototype that the entry was written for, else 0. A
# changed event then costs its own ledger, not the build; the module names it
# when it loads.
set -eu

out=$1
src=$2
shift 2

events=$(sed -n 's/.*void rwb_probe_\([a-z0-9_]*\)(void \*data.*/\1/p' \
	"$(dirname "$src")/probes.h" | sort -u)
[ -n "$events" ] || { echo "conftest: no probe entries in probes.h" >&2; exit 1; }

log=$(mktemp)
trap 'rm -f "$log" "$out.tmp"' EXIT
checks=
for event in $events; do checks="${checks:+$checks; }RWB_CHECK($event)"; done

# all CHECKS COMPILER FLAGS...: does the compiler accept them all?
all() {
	wanted=$1
	shift
	"$@" -fsyntax-only "-DRWB_CHECKS=$wanted" "$src" >"$log" 2>&1
}

{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	echo "/* Made by conftest.sh: which events have the expected prototype. */"
	if all "$checks" "$@"; then
		for event in $events; do echo "#define RWB_HAVE_$event 1"; done
	else
		# Any failure that is not a prototype's (a missing header, a bad
		# flag) must stop the build, not switch the probes off one by one.
		if ! all "RWB_CHECK(mm_vmscan_write_folio)" "$@"; then
			cat "$log" >&2
			echo "conftest: mm_vmscan_write_folio changed, or the kernel's headers do not compile: nothing to record without it" >&2
			exit 1
		fi
		for event in $events; do
			if all "RWB_CHECK($event)" "$@"; then
				echo "#define RWB_HAVE_$event 1"
			else
				echo "  CHANGED $event: $(grep -m1 'error:' "$log")" >&2
				echo "#define RWB_HAVE_$event 0"
			fi
		done
	fi
} >"$out.tmp"
mv "$out.tmp" "$out"

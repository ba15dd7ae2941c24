#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Usage: conftest.sh OUT.h CHECK_EVENT.c COMPILER FLAGS...
#
# Writes a header that defines RWB_HAVE_<event> for every probe entry whose
# prototype this kernel still has. A changed event then costs its own ledger,
# not the build; the module names it when it loads.
set -eu

out=$1
src=$2
shift 2

events=$(sed -n 's/.*void rwb_probe_\([a-z0-9_]*\)(void \*data.*/\1/p' \
	"$(dirname "$src")/probes.h" | sort -u)
[ -n "$events" ] || { echo "conftest: no probe entries in probes.h" >&2; exit 1; }

# Any failure that is not the prototype's (a missing header, a bad flag) must
# stop the build, not switch the probes off one by one.
log=$(mktemp)
trap 'rm -f "$log" "$out.tmp"' EXIT
if ! "$@" -fsyntax-only -DRWB_EVENT=mm_vmscan_write_folio "$src" >"$log" 2>&1; then
	cat "$log" >&2
	echo "conftest: this kernel's mm_vmscan_write_folio has another prototype, or its headers do not compile: nothing to record without it" >&2
	exit 1
fi

{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	echo "/* Made by conftest.sh: the events whose prototype is the expected one. */"
	for event in $events; do
		if "$@" -fsyntax-only "-DRWB_EVENT=$event" "$src" >"$log" 2>&1; then
			echo "#define RWB_HAVE_$event 1"
		else
			echo "  CHANGED $event: $(grep -m1 'error:' "$log")" >&2
			echo "#define RWB_HAVE_$event 0"
		fi
	done
} >"$out.tmp"
mv "$out.tmp" "$out"

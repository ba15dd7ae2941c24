#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Documentation/ describes everything that the code has, and nothing else: parameters, words, rows,
# trace events, sections of the report, and scenarios. The pages build, and the cover letter fits
# the patches. Each of these checks notices if that is not so.
# shellcheck disable=SC2016 # backquotes are the pages' own
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

check=$TOP/scripts/check/docs-check.py
ktap_print_header
if ! command -v python3 >/dev/null; then
	echo "1..0 # SKIP no python3"
	exit 4
fi
ktap_set_plan 45

# says_nothing NAME COMMAND...: the command passes without a word.
says_nothing() {
	local name=$1
	shift
	if "$@" >"$scratch/out" 2>&1 && [ ! -s "$scratch/out" ]; then
		ktap_test_pass "$name"
	else
		sed 's/^/# | /' "$scratch/out"
		ktap_test_fail "$name"
	fi
}

says_nothing "parameters: all, with default, range and whether they can be written" "$check" parameters
says_nothing "words: all of them, and no other" "$check" words
says_nothing "rows: all that the module writes, each with a unit, and no other" "$check" rows
says_nothing "rows: all that real guests have" "$check" fixtures
says_nothing "trace events: all, with all fields" "$check" events
says_nothing "the report: each section, each cause of stalls, and quotations" "$check" report
says_nothing "scenarios, and the keys and states of the map" "$check" nbd
says_nothing "patches, and their subjects" "$check" series
says_nothing "links to pages, labels, files and make targets" "$check" links

# --- the pages build

rc=0
"$TOP/scripts/build/htmldocs.sh" >"$scratch/out" 2>&1 || rc=$?
case $rc in
0)	ktap_test_result "Sphinx has no warning" test -s "$(tail -n1 "$scratch/out")" ;;
4)	if python3 -c 'import docutils' 2>/dev/null; then
		says_nothing "docutils has no warning ($(sed -n 's/^error: //p' "$scratch/out"))" "$check" html
	else
		ktap_test_skip "the pages: no docutils either; $(sed -n 's/^error: //p' "$scratch/out")"
	fi ;;
*)	sed 's/^/# | /' "$scratch/out"
	ktap_test_fail "Sphinx has no warning" ;;
esac

refuses "a Sphinx that does not exist" "no Sphinx: SPHINXBUILD=/nonexistent" \
	env SPHINXBUILD=/nonexistent "$TOP/scripts/build/htmldocs.sh"

# --- each check must notice what it is there for

tree=$scratch/tree
mkdir "$tree"
tar -C "$TOP" --exclude=./out --exclude=./.git --exclude=target -cf - . | tar -C "$tree" -xf -

name="a reference that leads nowhere, to Sphinx"
if [ $rc = 0 ]; then
	sphinx=${SPHINXBUILD:-${OUT:-$TOP/out}/docs/venv/bin/sphinx-build}
	cp "$tree/Documentation/overview.rst" "$scratch/before"
	sed -i 's/:ref:`first-steps`/:ref:`last-steps`/' "$tree/Documentation/overview.rst"
	have_sphinx=
	[ ! -x "$sphinx" ] || have_sphinx="SPHINXBUILD=$sphinx"
	refuses "$name" "the pages do not build: 1 " env OUT="$scratch/docs" ${have_sphinx:+"$have_sphinx"} "$tree/scripts/build/htmldocs.sh"
	cp "$scratch/before" "$tree/Documentation/overview.rst"
else
	ktap_test_skip "$name: no Sphinx"
fi

# notices NAME CHECK REGEX FILE SED: the check complains if that file is changed like this.
notices() {
	local name=$1 what=$2 regex=$3 file=$4 rc=0
	cp "$tree/$file" "$scratch/before"
	sed -i -E "$5" "$tree/$file"
	CARGO_TARGET_DIR=$scratch/target "$check" "$what" "$tree" >"$scratch/out" 2>&1 || rc=$?
	if cmp -s "$scratch/before" "$tree/$file"; then
		ktap_print_msg "$file: nothing changed by $5"
		ktap_test_fail "$name"
	elif [ $rc = 1 ] && grep -qE "$regex" "$scratch/out"; then
		ktap_test_pass "$name"
	else
		ktap_print_msg "exit $rc, wanted: $regex"
		sed 's/^/# | /' "$scratch/out"
		ktap_test_fail "$name"
	fi
	cp "$scratch/before" "$tree/$file"
}

words=rust/words params=rust/words/parameter.rs guide=Documentation/admin-guide.rst ledgers=Documentation/ledgers.rst
notices "a new parameter" parameters 'parameter brandnew is missing' $params 's/=> "inflight"/=> "brandnew"/'
notices "a parameter that is gone" parameters 'there is no parameter inflight' $params '/^ *Self::Inflight,$/d'
notices "another default" parameters 'headroom_floor: default 2048; it is 1024' $params 's/default: 2048/default: 1024/'
notices "another default of a group" parameters 'stalls: default Y; it is N' $words/group.rs 's/(matches!\(self, )(Self::Tlb)/\1Self::Stalls | \2/'
notices "another range" parameters 'request_cost: range 0 to 1024; it is 0 to 2048' $params 's/max: 1024/max: 2048/'
notices "one that cannot be written any more" parameters 'tlb: writable: set when loading' $params \
	's/(matches!\(self, Self::WindowSlots)\)/\1 | Self::Group(Group::Tlb))/'
notices "a parameter that the README lacks" parameters 'README.md: parameter takers' README.md 's/`takers`/takers/g'

notices "another default in the example for modprobe" parameters 'modprobe.d/.*: tlb: Y; the default is N' \
	packaging/modprobe.d/reclaimwb.conf 's/tlb=N/tlb=Y/'

notices "a new cause" words 'CAUSE: swapping is missing' $words/cause.rs 's/^( *)Lock => "lock".*/&\n\1Swapping => "swapping",/'
notices "a new origin" words 'ORIGIN: moon is missing' $words/origin.rs 's/^( *)Other => "other",/&\n\1Moon => "moon",/'
notices "a cause that is gone" words 'CAUSE: the module has no tag_wait' $words/cause.rs '/TagWait => "tag_wait"/d'
notices "a new state of a probe" words 'STATE: broken is missing' rust/rows/status.rs \
	's/^( *)ProbeState::Attached => .*/&\n\1ProbeState::Broken => f.write_str("broken"),/'

sed -i 's/"drain"/"drains"/' "$tree/rust/shim/words.h"
refuses "a header for C that is out of date" "words.h is not what rust/words/ makes of it" \
	env CARGO_TARGET_DIR="$scratch/target" "$tree/scripts/check/words.sh"

notices "a new row" rows 'writes or cgroups: row total\.cost ' rust/rows/writes.rs \
	's/^( *)writeln!\(f, "total\.folios .*/&\n\1writeln!(f, "total.cost {n}")?;/'
notices "a new row of a device" rows 'handoff: temper of rows/handoff.rs is missing' rust/rows/handoff.rs \
	's/^( *)\("waiting", stats.*/&\n\1("temper", 0),/'
notices "a row that is not written any more" rows 'headroom: .*used\.max' rust/rows/headroom.rs '/used\.max/d'
notices "a row that was renamed" rows 'writes no row stalls\.open|no word' rust/rows/status.rs 's/"stalls\.open /"stalls.going /'
notices "a new field of a stall" rows 'field mood= of' rust/rows/stalls.rs 's/ dirty=\{\}"/ dirty={} mood={}"/'
notices "a new file" rows 'file moods is missing' rust/rows.rs \
	's/^( *)batches <- .*/&\n\1moods <- dir.read_callback_file(c"moods", ledgers.clone(), \&batches::batches),/'
notices "a row without a unit" rows 'total\.pages has no unit' $ledgers 's/^(``total\.pages``) : pages$/\1/'
notices "an invented row" rows 'writes no row total\.joy' $ledgers 's/^``total\.pages`` : pages$/``total.joy`` : pages\n    No.\n\n&/'
notices "a row of a guest that is not documented" fixtures 'no row for total\.pages' $ledgers 's/^``total\.pages`` : pages$/``total.pagez`` : pages/'

notices "a new field of a trace event" events 'stall: field mood is missing' rust/shim/events.h \
	's/^(\t*)__field\(u64, began\)/&\n\1__field(u64, mood)/'
notices "a new trace event" events 'trace event swoon is missing' rust/shim/events.h 's/^TRACE_EVENT\(stall,/TRACE_EVENT(swoon,/'
notices "a field of another type" events 'headroom_low: layer is u64, not u32' rust/shim/events.h \
	'/TRACE_EVENT\(headroom_low/,/^\);/s/__field\(u32, layer\)/__field(u64, layer)/'
notices "a new section of the report" report 'section MOODS ' tool/src/text/stalls.rs 's/heading\("STALLS"/heading("MOODS"/'
notices "a quotation that is none any more" report 'quoted, but not in the README' README.md 's/Reclaim wrote [0-9,]+ pages/Reclaim wrote 1 page/'
notices "a new scenario" nbd 'scenario flood2 is missing' scripts/measure/test-nbd.sh 's/ flood / flood flood2 /'
notices "another subject of a patch" series 'patch 0003 mm/page_alloc: watch' "$(cd "$TOP" && echo qemu/patches/0003-*.patch)" \
	's/^(Subject: \[PATCH\] mm\/page_alloc: )trace/\1watch/'
notices "a page that is not there" links 'no page nobody' $guide 's/:doc:`nbd`/:doc:`nobody`/'
notices "a make target that is not there" links 'there is no make tests' $guide 's/``make cost``/``make tests``/'

# --- the cover letter

if ! command -v git >/dev/null; then
	ktap_test_skip "the cover letter: no git"
	ktap_test_skip "a letter that has a patch too many: no git"
else
	says_nothing "the cover letter's list of patches and diffstat" "$TOP/scripts/check/cover-letter.sh" check
	mkdir "$scratch/patches"
	cp "$TOP"/qemu/patches/*.patch "$scratch/patches"
	rm "$scratch"/patches/0004-*
	if ! RWB_PATCHES=$scratch/patches "$TOP/scripts/check/cover-letter.sh" check >"$scratch/out" 2>&1 &&
			grep -q '^-  mm/vmscan: trace the wait' "$scratch/out"; then
		ktap_test_pass "a letter with a patch too many"
	else
		sed 's/^/# | /' "$scratch/out"
		ktap_test_fail "a letter with a patch too many"
	fi
fi

ktap_finished

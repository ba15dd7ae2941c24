#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The page that `reclaimwb report --html` writes, in headless Chromium. It loads nothing, complains
# of nothing, and sorts. It fits narrow and wide screens, light and dark ones, and paper. The name
# of a task cannot make it do anything.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

lib=$TOP/tests/host/lib
# Debian's Python packages are there, whatever else is on PATH.
python=
for one in python3 /usr/bin/python3; do
	if command -v "$one" >/dev/null && "$one" -c 'import selenium' 2>/dev/null; then
		python=$one
		break
	fi
done
why=
command -v chromium >/dev/null || why="no chromium"
[ -n "$why" ] || command -v chromedriver >/dev/null || why="no chromedriver (chromium-driver)"
[ -n "$why" ] || [ -n "$python" ] || why="no Python package selenium (python3-selenium)"
[ -n "$why" ] || command -v pdftotext >/dev/null || why="no pdftotext (poppler-utils)"
ktap_print_header
if [ -n "$why" ]; then
	ktap_skip_all "$why: scripts/build/deps.sh host"
	exit "$KSFT_SKIP"
fi
# shellcheck source=lib/tool.sh
. "$lib/tool.sh"
# A browser leaves files behind, which go into this folder.
export HOME=$scratch TMPDIR=$scratch

# page NAME ARG...: makes the page NAME.html of a report.
page() {
	local name=$1
	shift
	passes "a page of $name" "$tool" report "$@" --html "$scratch/$name.html"
}
# look WHAT NAME...: asks a browser about a page.
look() {
	local what=$1 name=$2
	shift 2
	timeout 120 "$python" "$lib/browser.py" "$what" "$scratch/$name.html" "$@" >"$scratch/$name.$what" 2>"$scratch/$name.err" || {
		sed 's/^/# | /' "$scratch/$name.err"
		return 1
	}
}
# says NAME PAGE.WHAT REGEX: the answer has such a line.
says() {
	if grep -qE -- "$3" "$scratch/$2"; then
		ktap_test_pass "$1"
	else
		ktap_print_msg "wanted: $3"
		sed 's/^/# | /' "$scratch/$2"
		ktap_test_fail "$1"
	fi
}

ktap_set_plan 53

"$python" "$lib/recording.py" "$fixtures" "$scratch/recording"
"$python" "$lib/recording.py" "$fixtures" "$scratch/hostile.rec" --hostile
page recording "$scratch/recording"
page hostile "$scratch/hostile.rec"
page snapshot "$fixtures/handoff.json" --since "$fixtures/handoff-before.json"

for name in recording hostile snapshot; do
	holds "$name: a browser opens it" look facts $name
	says "$name: nothing is loaded" $name.facts '^requests \[\]$'
	says "$name: no error on the console" $name.facts '^console \[\]$'
	says "$name: its own title" $name.facts '^title Reclaim report, 2026-11-2'
	says "$name: light" $name.facts '^light rgb\(255, 255, 255\) \| rgb\(26, 29, 33\) \| rgb\(5, 147, 237\)$'
	says "$name: dark" $name.facts '^dark rgb\(20, 23, 28\) \| rgb\(228, 231, 235\) \| rgb\(69, 224, 180\)$'
	for width in 400 1600; do
		says "$name: as wide as a screen of $width" $name.facts "^width $width folded $width\$"
		says "$name: $width, with all unfolded" $name.facts "^width $width opened $width\$"
	done
	says "$name: no label is cut off" $name.facts '^labels outside \[\]$'
	says "$name: tables fit paper" $name.facts '^too wide for paper \[\]$'
done
for name in recording hostile; do
	says "$name: a click sorts numbers, another the other way" $name.facts \
		'^sort numbers [0-9]+ cells differ: descending \(says descending\), ascending \(says ascending\)$'
	says "$name: and words" $name.facts \
		'^sort words [0-9]+ cells differ: ascending \(says ascending\), descending \(says descending\)$'
	says "$name: charts have names" $name.facts '^elements svg.chart\[role=img\]\[aria-label\]=6 img=0 script=1 '
done
says "hostile names run nothing" hostile.facts '^alert none$'

holds "a browser without scripts opens it" look plain recording
says "charts are drawn all the same" recording.plain '^charts 6$'
says "and tables are there, with nothing to click" recording.plain '^buttons 0$'

holds "a browser prints it" look print recording "$scratch/page.pdf"
pdftotext -layout "$scratch/page.pdf" "$scratch/page.txt" 2>"$scratch/log" || sed 's/^/# | /' "$scratch/log"
printed() { [ "$(tr -cd '\f' <"$scratch/page.txt" | wc -c)" -gt 3 ] && ! grep -qF 'Not Found' "$scratch/page.txt"; }
holds "the print has pages" printed
says "with the summary" page.txt 'Reclaim wrote 85,937 pages'
says "it has what is folded on a screen" page.txt 'blk_mq_dispatch_rq_list\+0x2cc'

ktap_finished

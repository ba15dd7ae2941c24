#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# htmldocs.sh: Documentation/ as HTML, by Sphinx; prints the first page's path. A warning is
# an error, and so is a reference that leads nowhere.
#
#   SPHINXBUILD=command   else the machine's sphinx-build, if it is new enough, or one that
#                         is installed for that into out/docs/venv (Documentation/requirements.txt)
# Exit code 4: there is no Sphinx to be had.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

# The oldest that the pages are made for.
LEAST=7
out=$OUT/docs
NONE=4

none() { echo "error: no Sphinx: $*" >&2; exit "$NONE"; }

new_enough() { # COMMAND
	local version
	version=$("$1" --version 2>/dev/null | awk '{ print $NF }') || return 1
	[ -n "$version" ] && version_ge "$version" "$LEAST"
}

install_sphinx() {
	local log=$out/install.log what="install the package python3-venv, or set SPHINXBUILD to one of version $LEAST or newer"
	mkdir -p "$out"
	"$TOP/scripts/build/deps.sh" docs || exit "$NONE"
	say "installing Sphinx into $out/venv"
	rm -rf "$out/venv"
	if ! python3 -m venv "$out/venv" >"$log" 2>&1; then
		rm -rf "$out/venv"
		none "python3 cannot make a venv: $what"
	fi
	if ! "$out/venv/bin/pip" --disable-pip-version-check --quiet --timeout 15 --retries 1 \
			install -r "$TOP/Documentation/requirements.txt" >"$log" 2>&1; then
		rm -rf "$out/venv"
		none "pip: $(grep -m1 '^ERROR' "$log" || tail -n1 "$log"): see to its network, or set SPHINXBUILD to one of version $LEAST or newer"
	fi
}

sphinx=${SPHINXBUILD:-}
if [ -n "$sphinx" ]; then
	new_enough "$sphinx" || none "SPHINXBUILD=$sphinx is none of version $LEAST or newer"
elif new_enough sphinx-build; then
	sphinx="sphinx-build"
else
	sphinx=$out/venv/bin/sphinx-build
	new_enough "$sphinx" || install_sphinx
fi

mkdir -p "$out"
if ! "$sphinx" -b html -W --keep-going -n -E -q -d "$out/doctrees" "$TOP/Documentation" "$out/html" \
		>"$out/build.log" 2>&1; then
	cat "$out/build.log" >&2
	die "the pages do not build: $(grep -cE 'WARNING|ERROR' "$out/build.log" || true) warnings and errors"
fi
echo "$out/html/index.html"

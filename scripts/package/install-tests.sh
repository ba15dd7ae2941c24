#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# install-tests.sh DIR: `make -C tests install INSTALL_PATH=DIR`: the scenarios, as the kernel's
# `make -C tools/testing/selftests install` lays out its own:
#
#	DIR/run_kselftest.sh		the kernel's runner, and what it sources
#	DIR/kselftest/
#	DIR/kselftest-list.txt		one COLLECTION:TEST a line
#	DIR/VERSION
#	DIR/reclaimwb/FOLDER/		a collection: its scenarios, settings
#	DIR/reclaimwb/			lib, bin, settings, config
#	DIR/qemu/, DIR/scripts/		what these look for above them: NBD servers, bad console lines
#
# The runner comes from KSRC, or the source that the dev kernel is made of.
set -euo pipefail
# shellcheck source=../lib/scenarios.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/scenarios.sh"

if [ $# != 1 ] || [ -z "$1" ]; then die "set INSTALL_PATH to use install"; fi
mkdir -p "$1" || die "cannot make $1"
to=$(realpath "$1")
bin=$OUT/tests/bin
tests=$TOP/tests

# selftests: where the kernel's are.
selftests() {
	local dir
	for dir in ${KSRC:+"$KSRC"} ${KDIR:+"$KDIR/source"} "$RWB_CACHE"/src/*[!p]; do
		dir=$dir/tools/testing/selftests
		if [ -f "$dir/run_kselftest.sh" ] && [ -f "$dir/kselftest/runner.sh" ]; then
			echo "$dir"
			return
		fi
	done
	die "no kernel source to take run_kselftest.sh from: set KSRC=dir, or run make kernel first"
}

kernel=$(selftests)
[ -x "$bin/memhog" ] || die "$bin/memhog is not there: make -C tests"
mkdir -p "$to/kselftest"
install -m 755 "$kernel/run_kselftest.sh" "$to/"
for file in runner.sh ktap_helpers.sh prefix.pl module.sh; do
	install -m 755 "$kernel/kselftest/$file" "$to/kselftest/"
done
# Of an earlier version.
rm -rf "$to/reclaimwb"
mkdir "$to/reclaimwb"
install -m 644 "$tests/settings" "$tests/config" "$to/reclaimwb/"
cp -r "$tests/lib" "$bin" "$to/reclaimwb/"
while IFS= read -r file; do
	install -D -m 755 "$tests/$file" "$to/reclaimwb/$file"
	install -m 644 "$tests/settings" "$(dirname "$to/reclaimwb/$file")/"
done < <(scenarios)
install -D -m 755 -t "$to/qemu" "$TOP/qemu/nbd-server.sh"
install -m 644 -t "$to/qemu" "$TOP/qemu/nbd-servers.conf" "$TOP/qemu/console-badness.txt"
install -D -m 644 -t "$to/scripts/lib" "$TOP/scripts/lib/lib.sh"
# A list may hold collections of others: theirs stay. A folder is a collection, as file names
# alone are not unique, and the runner prints no more of a test.
touch "$to/kselftest-list.txt"
{
	grep -v '^reclaimwb[:/]' "$to/kselftest-list.txt" || true
	scenarios | sed -E 's@^@reclaimwb/@; s@/([^/]*)$@:\1@'
} >"$to/kselftest-list.txt.tmp"
mv "$to/kselftest-list.txt.tmp" "$to/kselftest-list.txt"
git -C "$TOP" describe --always --dirty >"$to/VERSION" 2>/dev/null || version >"$to/VERSION"
say "$to: run_kselftest.sh, or run_kselftest.sh -c reclaimwb/FOLDER (the module: installed, or RWB_MODULE_DIR=dir)"

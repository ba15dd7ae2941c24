# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # TOP is for those who source it
# For tests of the host scripts: the kernel's KTAP helpers, a scratch folder, and the assertions
# that they share. This file is sourced.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
RWB_CACHE=${RWB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/reclaimwb}
export RWB_CACHE

find_helpers() {
	find ${KSRC:+"$KSRC"} "$RWB_CACHE"/src/*[!p]/ -maxdepth 5 \
		-path '*/tools/testing/selftests/kselftest/ktap_helpers.sh' 2>/dev/null | head -n1
}
helpers=$(find_helpers)
if [ -z "$helpers" ]; then
	# Every later step needs the source, too.
	"$TOP/scripts/build/kernel.sh" --configure >/dev/null
	helpers=$(find_helpers)
fi
if [ -z "$helpers" ]; then
	echo "1..0 # SKIP no kernel source to take the KTAP helpers from (KSRC=dir)"
	exit 4
fi
# shellcheck disable=SC1090 # the kernel's
. "$helpers"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# refuses NAME REGEX COMMAND...: the command fails, says nothing on stdout, and its last line is its
# only error line, which matches.
refuses() {
	local name=$1 regex=$2 rc=0 errors
	shift 2
	"$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || rc=$?
	errors=$(grep -c '^error: ' "$scratch/stderr")
	if [ "$rc" != 0 ] && [ ! -s "$scratch/stdout" ] && [ "$errors" = 1 ] &&
			tail -n1 "$scratch/stderr" | grep -qE "^error: .*$regex"; then
		ktap_test_pass "$name"
	else
		ktap_print_msg "exit $rc, $errors error lines, wanted: $regex"
		sed 's/^/# | /' "$scratch/stdout" "$scratch/stderr"
		ktap_test_fail "$name"
	fi
}

# skip_all REASON: skips the whole script.
skip_all() {
	ktap_print_header
	ktap_skip_all "$*"
	exit "$KSFT_SKIP"
}

# quiet COMMAND...: shows what the command says only if it fails.
quiet() { "$@" >"$scratch/log" 2>&1 || { sed 's/^/# /' "$scratch/log"; return 1; }; }

# holds NAME COMMAND...: the command succeeds. (The kernel's ktap_test_result splits arguments.)
holds() {
	local name=$1
	shift
	if "$@"; then
		ktap_test_pass "$name"
	else
		ktap_print_msg "failed: $*"
		ktap_test_fail "$name"
	fi
}

# is NAME GOT WANTED: the two texts are the same, and not empty.
is() {
	if [ -n "$2" ] && [ "$2" = "$3" ]; then
		ktap_test_pass "$1"
	else
		printf '# got    %s\n# wanted %s\n' "$2" "$3"
		ktap_test_fail "$1"
	fi
}

# stub COMMAND BODY: makes a fake command in the folder $stubs.
stubs=$scratch/stubs
mkdir -p "$stubs"
stub() {
	printf '#!/bin/sh\n%s\n' "$2" >"$stubs/$1"
	chmod +x "$stubs/$1"
}

# path_without COMMAND...: prints a folder that has all commands on PATH except these.
path_without() {
	local dir cmd
	dir=$(mktemp -d "$scratch/path.XXXXXX")
	while IFS= read -r -d: cmd; do
		[ ! -d "$cmd" ] || find -L "$cmd" -maxdepth 1 -type f -executable -exec ln -s -t "$dir" {} + 2>/dev/null
	done <<<"$PATH:"
	for cmd; do rm -f "$dir/$cmd"; done
	echo "$dir"
}

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The project's own rules, most of them a grep over the files in git. check.sh sources this file. A
# pattern is spelt so that it does not find itself.

# shellcheck disable=SC2034 # for check.sh
RULES=(unsafe_rooms rooms words no_panics spdx no_machine_paths no_hosts no_binaries)

# rust_code FILE...: print 'file:line:text' without comments and doc comments.
rust_code() { grep -nHE '' "$@" | sed -E 's,//.*$,,'; }

# Only three rooms of the module may reach beyond the safe kernel crate.
check_unsafe_rooms() {
	local files
	mapfile -t files < <(git ls-files -- 'rust/*.rs' |
		grep -vE '^rust/(entry|kernel_ext|shim)(/|\.rs$)|^rust/(policy|words)/(host|tests)/')
	! rust_code "${files[@]}" |
		grep -E '\bunsafe\b|\bbindings::|extern "C"' | grep -vE 'unsafe_code|unsafe_op'
}

# A file of the module uses its own room and those below it.
check_rooms() { scripts/check/rooms-check.py; }

# C has the words that Rust has.
check_words() {
	have cargo || { skip "no cargo"; return; }
	scripts/check/words.sh
}

# A panic in the module is a BUG of the machine, so that only tests may have one.
check_no_panics() {
	local files
	mapfile -t files < <(git ls-files -- 'rust/*.rs' | grep -vE '^rust/((policy|words)/host|policy/tests|tests)/|(^|/)tests\.rs$')
	! rust_code "${files[@]}" |
		grep -E '\.unwrap\(\)|\.expect\(|\b(panic|todo|unimplemented|unreachable|dbg|assert|assert_eq|assert_ne)!' |
		grep -vE '\bconst\b.*\bassert!|static_assert!|build_assert!'
}

check_spdx() {
	local file rc=0
	while IFS= read -r file; do
		head -n 4 "$file" | grep -q 'SPDX-License-Identifier' || { echo "$file: no SPDX line"; rc=1; }
	done < <(git ls-files -- '*.rs' '*.c' '*.h' '*.sh' '*.py' '*.awk' '*.config' '*.toml' 'Makefile' '*/Makefile' Kbuild ':!.rustfmt.toml')
	return $rc
}

# A path may not exist only on the machine where it was written.
check_no_machine_paths() { ! git grep -nE '/(roo[t]|wor[k]|home/[a-z]+)/|/tmp/(a[p]|spe[c])\b' -- ':!*.lock'; }

# Files that are built or fetched are not kept. Compared with the empty tree, git counts no lines of
# a binary.
check_no_binaries() { ! git diff --numstat "$(git hash-object -t tree --stdin </dev/null)" HEAD | grep -P '^-\t'; }

# The machine's settings, not ours, say where packages come from.
check_no_hosts() {
	! git grep -nE '\b(deb|ftp|security|registry|static|index|archive|snapshot)\.[a-z-]+\.(org|io|net|com)\b|\b(crates[.]io|pypi[.]org|npmjs[.])' \
		-- ':!*.lock'
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The project's own rules (scripts/check/check-rules.sh) notice what they are there for, and let pass
# what is allowed. The rules about rooms and words have tests elsewhere (rooms.sh, docs.sh).
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

command -v git >/dev/null || skip_all "no git"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

# A small tree that keeps the rules.
tree=$scratch/tree
mkdir -p "$tree"/rust/{ledgers,kernel_ext,tests,policy/tests}
SPDX='// SPDX-License-Identifier: GPL-2.0'
for file in ledgers/one kernel_ext/two tests/three policy/tests/four; do
	printf '%s\n' "$SPDX" 'fn none() {}' >"$tree/rust/$file.rs"
done
echo "Words." >"$tree/README.md"
echo 'source = "registry+https://index.crates''.io"' >"$tree/Cargo.lock"
git -C "$tree" init -q
keep() { git -C "$tree" add -A && git -C "$tree" -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m x; }
keep

# rule NAME: that rule in the tree.
rule() {
	# shellcheck source=../../scripts/check/check-rules.sh
	(cd "$tree" && . "$TOP/scripts/check/check-rules.sh" && "check_$1") >"$scratch/said" 2>&1
}

# planted FILE LINE: the line is at the end of that file, which may be new.
planted() {
	printf '%s\n' "$2" >>"$tree/$1"
	keep
}
taken_out() {
	git -C "$tree" reset -q --hard HEAD~1
}

# finds NAME RULE FILE LINE: with that line the rule fails, and names the file.
finds() {
	planted "$3" "$4"
	if ! rule "$2" && grep -qF "$3" "$scratch/said"; then
		ktap_test_pass "$2: $1"
	else
		sed 's/^/# | /' "$scratch/said"
		ktap_test_fail "$2: $1"
	fi
	taken_out
}

# allows NAME RULE FILE LINE: with that line the rule passes.
allows() {
	planted "$3" "$4"
	holds "$2: $1" rule "$2"
	taken_out
}

ktap_print_header
ktap_set_plan 27
for name in unsafe_rooms no_panics spdx no_machine_paths no_hosts no_binaries; do
	holds "$name: a tree that keeps it" rule $name
done

finds "an unsafe block" unsafe_rooms rust/ledgers/one.rs 'fn f() { unsafe { g() } }'
finds "a binding" unsafe_rooms rust/ledgers/one.rs 'fn f() { crate::bindings::g() }'
finds "a function for C" unsafe_rooms rust/ledgers/new.rs 'extern "C" fn f() {}'
allows "an unsafe block in a room that may have one" unsafe_rooms rust/kernel_ext/two.rs 'fn f() { unsafe { g() } }'
allows "the word in a comment" unsafe_rooms rust/ledgers/one.rs '// Nothing is unsafe here.'

finds "an unwrap" no_panics rust/ledgers/one.rs 'fn f() { g().unwrap() }'
finds "an expect" no_panics rust/kernel_ext/two.rs 'fn f() { g().expect("it") }'
finds "an assertion" no_panics rust/ledgers/one.rs 'fn f() { assert!(g()) }'
finds "a todo" no_panics rust/ledgers/one.rs 'fn f() { todo!() }'
allows "an assertion that the compiler checks" no_panics rust/ledgers/one.rs 'const _: () = assert!(1 < 2);'
allows "an unwrap in a test" no_panics rust/tests/three.rs 'fn f() { g().unwrap() }'
allows "an unwrap in a test of the host" no_panics rust/policy/tests/four.rs 'fn f() { g().unwrap() }'

finds "a file without a licence" spdx rust/ledgers/new.rs 'fn f() {}'
finds "a script without a licence" spdx new.sh 'true'
allows "a page without a licence" spdx new.md 'Words.'

finds "a home directory" no_machine_paths README.md 'See /home''/someone/file.'
finds "a work directory" no_machine_paths rust/ledgers/one.rs '// See /wor''k/file.'

finds "the host of an archive" no_hosts README.md 'See http://deb''.example.org.'
finds "the host of a registry" no_hosts rust/ledgers/one.rs '// See crates''.io.'

printf '\0\1\2' >"$tree/new.bin"
keep
if rule no_binaries; then ktap_test_fail "no_binaries: a binary"; else ktap_test_pass "no_binaries: a binary"; fi
taken_out
allows "a file without a line" no_binaries new.txt ''

ktap_finished

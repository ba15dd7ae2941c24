#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mutants.sh [NAME...]: do the tests of rust/policy notice when its code is changed? cargo-mutants
# makes one change after another, in a copy, and runs the tests on each. rust/policy/mutants.toml
# has the changes that the tests need not notice, and says why. NAME is the name of a file
# (handoff), to try only the changes of that file.
#
#   J=2              changes that are tried at a time
#   PROPTEST_CASES=  cases of each property (16)
#
# out/mutants.out/ has what it found. The exit code is 1 if a change went unnoticed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

cargo mutants --version >/dev/null 2>&1 || die "cargo-mutants is missing: cargo install --locked cargo-mutants"
files=()
for name; do
	[ -f "$TOP/rust/policy/$name.rs" ] || die "no rust/policy/$name.rs; there are: $(cd "$TOP/rust/policy" && printf '%s ' *.rs)"
	files+=(--file "$name.rs")
done
mkdir -p "$OUT"

# The cases are the same for each change. A failure is enough: it need not be made small.
export PROPTEST_CASES=${PROPTEST_CASES:-16} PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1}
export PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
# Each change is built once and run once, so that building takes most of the time.
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0
unset CARGO_TARGET_DIR
cd "$TOP/rust/policy"
rc=0
as_group cargo mutants --config mutants.toml --output "$OUT" --jobs "$J" --colors never "${files[@]}" || rc=$?
found=$OUT/mutants.out
# Exit code 3 says that the tests did not end with some changes, which is a way to notice them.
case $rc in
0 | 3) ;;
2) die "changes went unnoticed: $found/missed.txt" ;;
*) die "cargo-mutants failed ($rc): see above, and $found/log/" ;;
esac
[ ! -s "$found/missed.txt" ] || die "changes went unnoticed: $found/missed.txt"

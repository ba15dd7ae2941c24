#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# words.sh            check that rust/shim/words.h, which C includes, is what rust/words/ makes of it
# words.sh --write    write that header anew
# words.sh --json     print the words and the parameters, for docs-check.py
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

case ${1:-} in '' | --write | --json) ;; *) die "usage: words.sh [--write | --json]" ;; esac
have cargo || die "no cargo: scripts/build/deps.sh tool"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(cargo_target)}
words() { cargo run --quiet --locked --manifest-path "$TOP/rust/words/Cargo.toml" -- "$1"; }

if [ "${1:-}" = --json ]; then
	words json
	exit
fi
header=$TOP/rust/shim/words.h
made=$(mktemp)
trap 'rm -f "$made"' EXIT
words header >"$made"
if [ "${1:-}" = --write ]; then
	cat "$made" >"$header"
elif ! diff -u "$header" "$made" >&2; then
	die "rust/shim/words.h is not what rust/words/ makes of it: scripts/check/words.sh --write"
fi

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# words.sh: rust/shim/words.h, which C includes, is what the words of rust/words/ make of it.
# words.sh --write: make it anew.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

case ${1:-} in '' | --write) ;; *) die "usage: words.sh [--write]" ;; esac
have cargo || die "no cargo: scripts/build/deps.sh tool"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(cargo_target)}
header=$TOP/rust/shim/words.h
made=$(mktemp)
trap 'rm -f "$made"' EXIT
cargo run --quiet --locked --manifest-path "$TOP/rust/words/Cargo.toml" -- header >"$made"
if [ "${1:-}" = --write ]; then
	cat "$made" >"$header"
elif ! diff -u "$header" "$made" >&2; then
	die "rust/shim/words.h is not what rust/words/ makes of it: scripts/check/words.sh --write"
fi

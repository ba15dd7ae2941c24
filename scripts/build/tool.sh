#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tool.sh: build the reclaimwb command, static, into out/bin/reclaimwb.
# tool.sh --test: run its tests instead.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

crate=$TOP/tool
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(cargo_target)}
export CARGO_TARGET_DIR

case ${1:-} in
'') ;;
--test) exec cargo test --quiet --locked --manifest-path "$crate/Cargo.toml" ;;
*) die "usage: tool.sh [--test]" ;;
esac

"$TOP/scripts/build/deps.sh" tool
target=$(rustc -vV | sed -n 's/^host: //p')
case $target in
x86_64-*-linux-*) ;;
*) die "the guest is x86_64 Linux, rustc builds for ${target:-nothing}: use an x86_64 Linux host" ;;
esac

# The guest has no libraries, so all of libc comes along. The target is named so
# that build scripts and macros, which run here, are not built that way.
export RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$HOME=~"
say "building the reclaimwb command"
cargo build --quiet --locked --release --target "$target" --manifest-path "$crate/Cargo.toml" ||
	die "cargo could not build the command in tool/ (see above)"

mkdir -p "$OUT/bin"
tmp=$(mktemp "$OUT/bin/.reclaimwb.XXXXXX")
trap 'rm -f "$tmp"' EXIT
install -m 755 "$CARGO_TARGET_DIR/$target/release/reclaimwb" "$tmp"
# A dynamic one would work here and fail in the guest, without a word.
! readelf -l "$tmp" | grep -q INTERP ||
	die "out/bin/reclaimwb came out dynamic: check rustc's target-feature crt-static"
if ! cmp -s "$tmp" "$OUT/bin/reclaimwb"; then
	mv "$tmp" "$OUT/bin/reclaimwb"
fi
say "$OUT/bin/reclaimwb"

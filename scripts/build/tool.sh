#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tool.sh: build the reclaimwb command, static, into out/bin/reclaimwb. With ARCH=arm64, build it for
# such guests, into out/arm64/bin/reclaimwb.
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

other=
[ "${ARCH:-}" != arm64 ] || other=arm64
"$TOP/scripts/build/deps.sh" tool $other
target=$(rustc -vV | sed -n 's/^host: //p')
more=()
if [ -n "$other" ]; then
	target=aarch64-unknown-linux-gnu
	export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$GUEST_CC
	# If rustc has no std for that target, cargo builds it from the source in the component
	# rust-src. Released versions only do that if this variable is set.
	if [ ! -d "$(rustc --print target-libdir --target "$target")" ]; then
		more=('-Zbuild-std=std,panic_abort')
		export RUSTC_BOOTSTRAP=1
	fi
fi
case $target in
x86_64-*-linux-* | aarch64-*-linux-*) ;;
*) die "the guest is x86_64 or arm64 Linux, rustc builds for ${target:-nothing}: use such a host" ;;
esac

# The guest has no libraries, so all of libc comes along. The target is named so
# that build scripts and macros, which run here, are not built that way.
export RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$HOME=~"
say "building the reclaimwb command"
cargo build --quiet --locked --release --target "$target" "${more[@]}" --manifest-path "$crate/Cargo.toml" ||
	die "cargo could not build the command in tool/ (see above)"

mkdir -p "$GUEST/bin"
tmp=$(mktemp "$GUEST/bin/.reclaimwb.XXXXXX")
trap 'rm -f "$tmp"' EXIT
install -m 755 "$CARGO_TARGET_DIR/$target/release/reclaimwb" "$tmp"
# A dynamic one would work here and fail in the guest, without a word.
! readelf -l "$tmp" | grep -q INTERP ||
	die "$GUEST/bin/reclaimwb came out dynamic: check rustc's target-feature crt-static"
if ! cmp -s "$tmp" "$GUEST/bin/reclaimwb"; then
	mv "$tmp" "$GUEST/bin/reclaimwb"
fi
say "$GUEST/bin/reclaimwb"

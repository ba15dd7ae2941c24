#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# deps.sh says in one line what is missing or wrong, and installs nothing here.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

deps=$TOP/scripts/build/deps.sh
export RWB_NO_INSTALL=1
RUST_LIB_SRC=$(eval "$("$TOP/scripts/lib/env.sh")" && echo "${RUST_LIB_SRC:-$scratch}")
unused=http://127.0.0.1:1/debian	# nothing listens there

ktap_print_header
ktap_set_plan 12

refuses "an unknown group" "unknown group 'nosuch'" "$deps" nosuch
refuses "no group" "usage: deps.sh" "$deps"

refuses "a missing tool is named" "missing: flex .*apt-get install flex" \
	env PATH="$(path_without flex)" "$deps" kernel
refuses "all missing tools come in one message" "missing: flex bison cpio" \
	env PATH="$(path_without flex bison cpio)" "$deps" kernel vm

stub rustc 'echo "rustc 1.70.0 (90c541806 2023-05-31)"'
refuses "an old rustc" "rustc 1.70.0 .* too old, the kernel needs >= 1.85" \
	env PATH="$stubs:$PATH" "$deps" kernel
refuses "no rustc" "missing: rustc .*rustup" env PATH="$(path_without rustc rustup)" "$deps" kernel
rm "$stubs/rustc"

stub clang 'echo 14.0.6'
stub ld.lld :
stub llvm-ar :
refuses "an old clang" "clang 14.0.6 is too old, the kernel needs >= 17" \
	env PATH="$stubs:$PATH" LLVM=1 "$deps" kernel
rm "$stubs"/*

stub bindgen 'echo bindgen 0.60.1'
stub cargo 'echo "error: no network" >&2; exit 101'
refuses "an old bindgen that cannot be replaced" "cargo install bindgen-cli@.* failed: error: no network" \
	env PATH="$stubs:$PATH" RWB_CACHE="$scratch/cache" RUST_LIB_SRC="$RUST_LIB_SRC" "$deps" kernel
rm "$stubs"/*

stub rustc 'case $* in *sysroot*) echo /nonexistent ;; *) echo "rustc 1.99.7 (000000000 2030-01-01)" ;; esac'
stub rustup 'exit 1'
refuses "no rust-src of that version, and no mirror" "cannot read suite .* from $unused" \
	env -u RUST_LIB_SRC PATH="$stubs:$PATH" RWB_CACHE="$scratch/cache" DEBIAN_MIRROR=$unused "$deps" kernel
refuses "no rust-src of that version, and no keyring" "/nonexistent.gpg is missing: install the package debian-archive-keyring" \
	env -u RUST_LIB_SRC PATH="$stubs:$PATH" RWB_CACHE="$scratch/cache2" DEBIAN_MIRROR=$unused DEBIAN_KEYRING=/nonexistent.gpg "$deps" kernel
rm "$stubs"/*

stub python3 'exit 1'
refuses "a Python that makes no venv" "missing: python3-venv " env PATH="$stubs:$PATH" "$deps" docs
rm "$stubs"/*

# shellcheck disable=SC2016 # cargo's own quotes
stub cargo 'printf "error: failed to download \`nosuch v1.0.0\`\n\nCaused by:\n  unable to get packages\n\nCaused by:\n  no network here\n" >&2; exit 101'
refuses "a crate that cannot be fetched" 'cargo fetch failed: failed to download .nosuch v1.0.0.: no network here' \
	env PATH="$stubs:$PATH" "$TOP/scripts/package/crates.py"

ktap_finished

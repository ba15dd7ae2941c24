#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kmod.sh [--variant NAME]: build the tests' own kernel modules (tests/kmod) beside ours, in
# out/module/NAME. They need no Rust: KDIR=dir may be any kernel of 6.13 or later that was
# built there.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
# shellcheck source=../lib/kdir.sh
. "$TOP/scripts/lib/kdir.sh"

variant=base
if [ "${1:-}" = --variant ]; then
	[ $# -gt 1 ] || die "--variant needs a name"
	variant=$2
	shift 2
fi
[ $# = 0 ] || die "usage: kmod.sh [--variant NAME]"

if [ -n "${KDIR:-}" ]; then
	kdir=$(realpath "$KDIR")
	[ -f "$kdir/Module.symvers" ] || die "KDIR=$KDIR is no built kernel tree (no Module.symvers)"
else
	kdir=$("$TOP/scripts/build/kernel.sh" --variant "$variant")
fi
eval "$("$TOP/scripts/lib/env.sh")"
# What built the kernel builds its modules.
! grep -q '^CONFIG_CC_IS_GCC=y' "$kdir/.config" || unset LLVM
for_kernel "$kdir"
make=(make)
[ ! -e "$kdir/.rwb-debian" ] || make=("$TOP/scripts/build/debian.sh" run "$kdir" make)
work=$OUT/module/.kmod/$variant
if [ "$(cat "$work/kdir" 2>/dev/null)" != "$kdir" ]; then
	rm -rf "$work"
	mkdir -p "$work"
	echo "$kdir" >"$work/kdir"
fi
"${make[@]}" -C "$kdir" M="$TOP/tests/kmod" MO="$work" modules >"$work/build.log" 2>&1 || {
	cat "$work/build.log" >&2
	die "the tests' modules do not build for $kdir; see above"
}
grep -E -A8 'warning' "$work/build.log" >&2 || true
mkdir -p "$OUT/module/$variant"
cp "$work"/*.ko "$OUT/module/$variant/"

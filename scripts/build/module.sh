#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# module.sh [--variant NAME] [--plain] [MAKE ARGUMENTS...]: build the module for a dev
# kernel (scripts/build/kernel.sh) and print the folder that holds it, out/module/NAME.
#
# Beside reclaimwb.ko stands reclaimwb_noevent.ko, the same module built so that
# one event is missing and one changed: the tests prove with it that both are
# noticed; --plain leaves it out. KDIR=dir builds for a kernel of your own. What debian.sh made
# is built against with the compilers of that kernel.
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
plain=
if [ "${1:-}" = --plain ]; then
	plain=y
	shift
fi

kdir=$("$TOP/scripts/build/kernel.sh" --variant "$variant")
eval "$("$TOP/scripts/lib/env.sh")"
# One checkout's objects of C are another's: what differs is where it lies.
export CCACHE_BASEDIR=$TOP CCACHE_NOHASHDIR=1 CCACHE_IGNOREOPTIONS='-fmacro-prefix-map=*'
dir=$OUT/module/$variant
for_kernel "$kdir"
make=(make)
[ ! -e "$kdir/.rwb-debian" ] || make=("$TOP/scripts/build/debian.sh" run "$kdir" make)

# build DIR MAKE-ARGUMENT...: quiet unless it fails.
build() {
	local to=$1 log=$1/build.log
	shift
	mkdir -p "$to"
	# Objects of another kernel would be taken for up to date.
	if [ "$(cat "$to/kdir" 2>/dev/null)" != "$kdir" ]; then
		rm -rf "$to"
		mkdir -p "$to"
		echo "$kdir" >"$to/kdir"
	fi
	if ! "${make[@]}" -j"$J" -C "$kdir" M="$TOP" MO="$to" "$@" modules >"$log" 2>&1; then
		cat "$log" >&2
		die "the module does not build for $kdir; see above"
	fi
	# What conftest.sh has to say of events that changed (an unpatched kernel lacks some, which
	# the module says when it is loaded), and warnings of either compiler.
	grep '^  CHANGED' "$log" >&2 || true
	grep -A8 'warning' "$log" >&2 || true
}

# no_panics FILE: nothing in it can panic, but for counts that the kernel's Vec and core's iterators
# keep of what is in memory. Sums of our own say what happens when they overflow: clippy sees to
# that (reclaimwb_main.rs), as such a count of theirs looks the same here.
no_panics() {
	local nm symbols
	nm=$(command -v llvm-nm || compgen -c llvm-nm- | sort -V | tail -n1 | grep . || command -v nm) ||
		die "neither llvm-nm nor nm is here: apt-get install binutils"
	symbols=$("$nm" -u "$1") || die "$nm cannot read $1"
	[ -n "$symbols" ] || die "$1 calls nothing of the kernel: it is no module"
	! grep -E '_4core.*(panic|fail|mismatch|violation)|rust_helper_BUG' <<<"$symbols" |
		grep -vE 'panic_const_(add|sub|mul)_overflow' ||
		die "$1 has a panic path: see above, and llvm-objdump -dr for where"
}

say "building the module for $kdir"
build "$dir" "$@"
# Under the checkers core's own assertions are on, and the module has tests.
grep -q '^CONFIG_KASAN=y' "$kdir/.config" || no_panics "$dir/reclaimwb.ko"
rm -f "$dir/reclaimwb_noevent.ko"
if [ -z "$plain" ]; then
	build "$OUT/module/.test-events/$variant" RWB_TEST_EVENTS=1 "$@" 2>/dev/null
	cp "$OUT/module/.test-events/$variant/reclaimwb.ko" "$dir/reclaimwb_noevent.ko"
fi
echo "$dir"

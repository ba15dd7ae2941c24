#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# typed.sh kernel VARIANT     is there such a variant, and are KDIR and KSRC what they should be?
# typed.sh tests [NAME...]    is there each of these tests?
#
# make targets call this, so that something mistyped is noticed before packages are installed or a
# kernel is built. It needs nothing but a shell. kernel.sh sources it for check_variant.
set -euo pipefail
# shellcheck source=scenarios.sh
. "$(dirname "${BASH_SOURCE[0]}")/scenarios.sh"

CONFIGS=$TOP/qemu/config

# variants: the fragments that can be asked for, and Debian's own kernel.
variants() { (cd "$CONFIGS" && { grep -L '^# no variant' -- *.config | sed 's/\.config$//'; echo debian; } | sort | xargs); }

# variant_arch NAME: print the architecture of that variant, as ARCH= names it for the kernel's build.
variant_arch() {
	local file=$CONFIGS/${1%%+*}.config arch=
	[[ $1 != debian*-arm64 ]] || { echo arm64; return; }
	[ ! -f "$file" ] || arch=$(sed -n 's/^# arch: //p' "$file" | head -n1)
	echo "${arch:-x86_64}"
}

# is_debian NAME: a kernel of Debian's: debian, or debian-7.2 for the newest one of that version; both
# also with -arm64.
is_debian() { [[ $1 =~ ^debian(-[0-9]+(\.[0-9]+)+)?(-arm64)?$ ]]; }

# debian_version NAME: have debian.sh take it.
debian_version() {
	local version=${1#debian}
	[[ $version != *-arm64 ]] || export DEBIAN_ARCH=arm64
	version=${version%-arm64}
	[ -z "$version" ] || export KERNEL=${version#-}
}

# check_variant NAME: is each of its parts (base+btf) a variant?
check_variant() {
	local part all
	all=$(variants)
	[ -n "$1" ] || die "no variant is named: there is $all"
	! is_debian "$1" || return 0
	[[ $1 != *debian* ]] || die "variant '$1': debian, or debian-7.2, is a kernel by itself"
	for part in ${1//+/ }; do
		[[ " $all " = *" $part "* ]] || die "no variant '$part': there is $all"
	done
}

# check_kernel VARIANT: would kernel.sh take it? A kernel of the user's own can have any name.
check_kernel() {
	# shellcheck source=kdir.sh
	. "$TOP/scripts/lib/kdir.sh"
	# shellcheck source=source.sh
	. "$TOP/scripts/lib/source.sh"
	if [ -n "${KDIR:-}" ]; then
		lacks_metadata "$KDIR" || built_kdir "$KDIR"
		return
	fi
	check_variant "$1"
	[ -z "${KSRC:-}" ] || check_ksrc
}

check_tests() {
	local name
	for name; do find_test "$name" >/dev/null; done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	case ${1:-} in
	kernel)
		[ $# = 2 ] || die "usage: typed.sh kernel VARIANT"
		check_kernel "$2" ;;
	tests) check_tests "${@:2}" ;;
	*) die "usage: typed.sh kernel VARIANT | tests [NAME...]" ;;
	esac
fi

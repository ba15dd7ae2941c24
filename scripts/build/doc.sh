#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# doc.sh: rustdoc for the module, private items and all, into out/doc/; prints its first
# page. A warning is an error.
#
# KERNEL_DOC=URL      where the documentation of the kernel's crates is, to link there; if
#                     not given, what `make rustdoc` left in the kernel's build folder
# KDIR=dir, VARIANT=  the kernel, as for module.sh
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

[ $# = 0 ] || die "usage: doc.sh"
kdir=$("$TOP/scripts/build/kernel.sh" --variant "${VARIANT:-base}")
eval "$("$TOP/scripts/lib/env.sh")"
have rustdoc || die "rustdoc is missing: it comes with rustc (rustup: profile minimal has it)"

built=$kdir/Documentation/output/rust/rustdoc
if [ -z "${KERNEL_DOC:-}" ] && [ -d "$built/kernel" ]; then
	KERNEL_DOC=file://$built
fi
flags=
if [ -n "${KERNEL_DOC:-}" ]; then
	case $KERNEL_DOC in
	*[[:space:]\'\"]*) die "KERNEL_DOC=$KERNEL_DOC: a URL without blanks and quotes" ;;
	http://* | https://* | file:///*) ;;
	*) die "KERNEL_DOC=$KERNEL_DOC is no URL: it begins with https://, http:// or file:///" ;;
	esac
	for crate in kernel pin_init macros ffi core; do
		flags+=" --extern-html-root-url $crate=${KERNEL_DOC%/}/"
	done
fi

work=$OUT/.doc
rm -rf "$work" "$OUT/doc"
mkdir -p "$work" "$OUT/doc"
make -C "$kdir" M="$TOP" MO="$work" RWB_DOC="$OUT/doc" RWB_DOC_FLAGS="$flags" modules >"$work/log" 2>&1 || {
	grep -A12 -E '^(warning|error)' "$work/log" >&2 || cat "$work/log" >&2
	die "rustdoc has complaints; see above"
}
[ -f "$OUT/doc/reclaimwb/index.html" ] || die "rustdoc wrote no $OUT/doc/reclaimwb/index.html; see $work/log"
echo "$OUT/doc/reclaimwb/index.html"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# series.sh [VARIANT]: does each patch of qemu/patches/ build without those that follow it? Compiles
# each file of mm/ that the series touches, before the first patch and after each patch, with the
# dev kernel's own command. A warning is an error. Prints a line for each patch.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
# shellcheck source=../lib/recompile.sh
. "$TOP/scripts/lib/recompile.sh"

mapfile -t patches < <(find "$TOP/qemu/patches" -name '0*.patch' | sort)
[ ${#patches[@]} -gt 0 ] || die "no patches in qemu/patches"
mapfile -t last_first < <(printf '%s\n' "${patches[@]}" | sort -r)
mapfile -t files < <(sed -n 's#^+++ b/\(mm/.*\.c\)$#\1#p' "${patches[@]}" | sort -u)
kdir=$("$TOP/scripts/build/kernel.sh" --variant "${1:-base}")
src=$(realpath "$kdir/source")
eval "$("$TOP/scripts/lib/env.sh")"
dir=$OUT/series
rm -rf "$dir"
partial_tree "$dir/tree" "${last_first[@]}"

# not_yet: for each header that a later patch makes, put one in "later" that cannot be included. The
# kernel's source has them all.
not_yet() {
	local header
	rm -rf "$dir/later"
	mkdir -p "$dir/later/include"
	while IFS= read -r header; do
		[ -e "$dir/tree/$header" ] ||
			{ mkdir -p "$dir/later/${header%/*}"; echo "#error a later patch makes $header" >"$dir/later/$header"; }
	done < <(sed -n 's#^+++ b/\(include/.*\)$#\1#p' "${patches[@]}" | sort -u)
}

# builds NAME: compile all files, as they are in the tree now.
builds() {
	local file
	not_yet
	for file in "${files[@]}"; do
		recompile "${file%.c}.o" "$dir/tree/$file" "$dir/object.o" "-I$dir/tree/include -I$dir/later/include -Werror" >"$dir/log" 2>&1 ||
			{ cat "$dir/log" >&2; die "$1: $file does not build: see above"; }
	done
	echo "$1: ${#files[@]} files build"
}

builds "without a patch"
for patch in "${patches[@]}"; do
	patch -d "$dir/tree" -p1 -s -F0 --no-backup-if-mismatch <"$patch" || die "$(basename "$patch") does not apply"
	builds "$(basename "$patch")"
done

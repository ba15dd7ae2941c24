#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# off-cost.sh [VARIANT]: what the patches cost a kernel on which no helper is registered. Compiles
# each file of mm/ that they touch a second time, without them and with the kernel's own command,
# and compares the code of each function. Writes out/off-cost/FUNCTION.diff. Fails unless each call
# site in vmscan.c is a nop that a static key switches.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
# shellcheck source=../lib/toolchain.sh
. "$TOP/scripts/lib/toolchain.sh"
# shellcheck source=../lib/recompile.sh
. "$TOP/scripts/lib/recompile.sh"

variant=${1:-base}
out=$OUT/off-cost
mapfile -t patches < <(find "$TOP/qemu/patches" -name '0*.patch' | sort -r)
[ ${#patches[@]} -gt 0 ] || die "no patches in qemu/patches"
mapfile -t touched < <(sed -n 's#^+++ b/##p' "${patches[@]}" | sort -u)
kdir=$("$TOP/scripts/build/kernel.sh" --variant "$variant")
src=$(realpath "$kdir/source")
objdump=$(command -v llvm-objdump || compgen -c llvm-objdump- | sort -V | tail -n1 | grep .) ||
	die "llvm-objdump is missing: apt-get install llvm"
rm -rf "$out"

# The files that the patches touch, as they were before.
partial_tree "$out/tree" "${patches[@]}"
objects=()
for file in "${touched[@]}"; do
	[[ $file == mm/*.c ]] || continue
	name=$(basename "$file" .c)
	objects+=("$name")
	recompile "mm/$name.o" "$out/tree/$file" "$out/$name.without.o" "-I$out/tree/include"
	recompile "mm/$name.o" "$src/$file" "$out/$name.with.o"
done

# code OBJECT FUNCTION: its instructions, without addresses and places on the stack, which change when
# other code does. The name of a called function stands behind the call.
code() {
	"$objdump" -dr --no-show-raw-insn "$1" --disassemble-symbols="$2" 2>/dev/null |
		sed -nE 's/^ *[0-9a-f]+:[[:space:]]+//p' |
		sed -E 's/0x[0-9a-f]+ <[^>]*>//; s/# .*//; s/-?[0-9]+\(%rsp\)/(%rsp)/g; s/\[sp, #[0-9a-fx]+\]/[sp]/g
			s/R_(X86_64|AARCH64)_[A-Z0-9_]+[[:space:]]+/ -> /; s/ -> \.[a-z.0-9_]+[+-].*/ -> data/; s/[[:space:]]+/ /g'
}
functions() { "$objdump" -t "$1" | awk '$3 == "F" && $4 == ".text" { print $NF } $2 == "g" && $3 == "F" && $4 == ".text" { print $NF }' | sort -u; }
nops() { grep -c '^nop' || true; }

# Entries of the jump table: 16 bytes for each site that a static key switches.
entries() { echo $((0x$("$objdump" -h "$1" | awk '$2 == "__jump_table" { print $3 }') / 16)); }

printf '%-12s %-34s %8s %8s %8s\n' file function without with nops
for name in "${objects[@]}"; do
	without=$out/$name.without.o with=$out/$name.with.o
	for f in $(functions "$without"); do
		code "$without" "$f" >"$out/a"
		code "$with" "$f" >"$out/b"
		cmp -s "$out/a" "$out/b" && continue
		diff -u --label "without/$f" --label "with/$f" "$out/a" "$out/b" >"$out/$f.diff" || true
		printf '%-12s %-34s %8d %8d %+8d\n' "$name.c" "$f" "$(wc -l <"$out/a")" "$(wc -l <"$out/b")" \
			"$(($(nops <"$out/b") - $(nops <"$out/a")))"
	done
	echo "$(($(entries "$with") - $(entries "$without")))" >"$out/$name.sites"
done | tee "$out/summary"
rm -f "$out/a" "$out/b"
sites=$(cat "$out/vmscan.sites")
nops=$(awk '$1 == "vmscan.c" { n += $5 } END { print n + 0 }' "$out/summary")
echo "call sites that the static key switches: $sites; nops more (some only align): $nops"
[ "$sites" -gt 0 ] || die "no call site of the patches is behind a static key"
[ "$nops" -ge "$sites" ] || die "not every call site is a nop: see the .diff files in $out"

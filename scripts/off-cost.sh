#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# off-cost.sh [VARIANT]: what patch 1 costs a kernel where no helper is registered.
# Compiles mm/vmscan.c once more without the patch, by the kernel's own command, and
# compares the code of each function. In out/off-cost/: FUNCTION.diff. Fails unless
# each call site is a nop that a static key switches.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=toolchain.sh
. "$TOP/scripts/toolchain.sh"

variant=${1:-base}
out=$OUT/off-cost
patch=$(compgen -G "$TOP/qemu/patches/0001-*.patch") || die "no patch 1 in qemu/patches"
kdir=$("$TOP/scripts/kernel.sh" --variant "$variant")
src=$(realpath "$kdir/source")
objdump=$(command -v llvm-objdump || compgen -c llvm-objdump- | sort -V | tail -n1 | grep .) ||
	die "llvm-objdump is missing: apt-get install llvm"
rm -rf "$out"
mkdir -p "$out/tree/mm" "$out/tree/include/linux"

# The tree as it was, as far as the patch touches it.
cp "$src/mm/vmscan.c" "$out/tree/mm/"
cp "$src/include/linux/vmstat.h" "$src/include/linux/reclaim_writeback.h" "$out/tree/include/linux/"
patch -d "$out/tree" -p1 -R -s -F0 --no-backup-if-mismatch <"$patch" || die "patch 1 is not what this kernel was built with"

# compile SOURCE OBJECT FLAGS...: with what follows the compiler (objtool makes the nops).
compile() {
	local command
	command=$(sed -n 's/^savedcmd_mm\/vmscan.o := //p' "$kdir/mm/.vmscan.o.cmd")
	command=$(sed -E "s# [^ ]*mm/vmscan\.c# $1#; s# mm/vmscan\.o# $2#g; s#-Wp,-MMD,[^ ]*##" <<<"$command")
	# The first -I wins; vmscan.c's own headers lie beside it.
	(cd "$kdir" && eval "${command/ -I/ ${*:3} -iquote $src/mm -I}")
}
compile "$out/tree/mm/vmscan.c" "$out/without.o" "-I$out/tree/include"
compile "$src/mm/vmscan.c" "$out/with.o"

# code OBJECT FUNCTION: its instructions, without what moves when others do: addresses,
# places on the stack. What is called stands behind the call.
code() {
	"$objdump" -dr --no-show-raw-insn "$1" --disassemble-symbols="$2" 2>/dev/null |
		sed -nE 's/^ *[0-9a-f]+:[[:space:]]+//p' |
		sed -E 's/0x[0-9a-f]+ <[^>]*>//; s/# .*//; s/-?[0-9]+\(%rsp\)/(%rsp)/g
			s/R_X86_64_[A-Z0-9_]+[[:space:]]+/ -> /; s/ -> \.[a-z.0-9_]+[+-].*/ -> data/; s/[[:space:]]+/ /g'
}
functions() { "$objdump" -t "$1" | awk '$3 == "F" && $4 == ".text" { print $NF } $2 == "g" && $3 == "F" && $4 == ".text" { print $NF }' | sort -u; }
nops() { grep -c '^nop' || true; }

# Entries of the jump table: 16 bytes for each site that a static key switches.
entries() { echo $((0x$("$objdump" -h "$1" | awk '$2 == "__jump_table" { print $3 }') / 16)); }

printf '%-28s %8s %8s %8s\n' function without with nops
for f in $(functions "$out/without.o"); do
	code "$out/without.o" "$f" >"$out/a"
	code "$out/with.o" "$f" >"$out/b"
	cmp -s "$out/a" "$out/b" && continue
	diff -u --label "without/$f" --label "with/$f" "$out/a" "$out/b" >"$out/$f.diff" || true
	printf '%-28s %8d %8d %+8d\n' "$f" "$(wc -l <"$out/a")" "$(wc -l <"$out/b")" \
		"$(($(nops <"$out/b") - $(nops <"$out/a")))"
done | tee "$out/summary"
rm -f "$out/a" "$out/b"
sites=$(($(entries "$out/with.o") - $(entries "$out/without.o")))
nops=$(awk '{ n += $4 } END { print n + 0 }' "$out/summary")
echo "call sites that the static key switches: $sites; nops more (some only align): $nops"
[ "$sites" -gt 0 ] || die "no call site of the patch is behind a static key"
[ "$nops" -ge "$sites" ] || die "not every call site is a nop: see the .diff files in $out"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# compare.sh [TOOL...]: what do other tools say of a load that stalls, and what does the module say of
# the same one? Runs tests/cost/compare.sh, whose head lists the tools, in one guest with Debian's own
# kernel and Debian's packages of bpftrace, bcc's tools, perf and trace-cmd.
#
# out/compare/ then has table.txt, and for each tool TOOL.txt, which is what it printed (TOOL.err, what
# it complained of), and TOOL.report, the module's report of the same time.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

SUITE=trixie
PACKAGES=(base-files bash coreutils libc-bin bpftrace libbpf-tools trace-cmd linux-perf)
out=$OUT/compare
image=$RWB_CACHE/tools/tracers-$SUITE-2.img

# make_image: make a disk with the tools, which take more than a guest has memory.
# shellcheck disable=SC2317 # with_lock calls it
make_image() {
	local dir=$image.d
	[ ! -f "$image" ] || return 0
	say "fetching the tools of $SUITE, and making a disk of them (once)"
	rm -rf "$dir" "$image.tmp"
	mkdir -p "${image%/*}"
	deb_tree "$dir" "$SUITE" "${PACKAGES[@]}"
	mkdir -p "$dir"/{proc,sys,dev,tmp}
	# bpftrace asks a shell for a compiler, and crashes if there is no shell.
	[ -e "$dir/bin/sh" ] || ln -s bash "$dir/bin/sh"
	PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -d "$dir" "$image.tmp" "$(($(du -sm "$dir" | cut -f1) * 5 / 4 + 256))M" >/dev/null ||
		die "mke2fs cannot fill $image"
	rm -rf "$dir"
	mv "$image.tmp" "$image"
}

main() {
	local rc=0 kdir file
	"$TOP/scripts/build/deps.sh" debian vm tool test bench
	kdir=$("$TOP/scripts/build/debian.sh" image)
	say "kernel $(cat "$kdir/include/config/kernel.release")"
	"$TOP/scripts/build/module.sh" --variant debian --plain >/dev/null
	"$TOP/scripts/build/tool.sh" >/dev/null
	make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2
	with_lock tracers make_image
	rm -rf "$out"
	mkdir -p "$out"
	cp --sparse=always "$image" "$out/tools.img"
	"$TOP/qemu/vm.sh" --variant debian --mem 768M --nbd slow --disk "$out/tools.img" --timeout 3600 \
		--append "rwb.tools=$(IFS=+; echo "$*") rwb.timeout=3500" --run cost/compare.sh --out "$out/vm" || rc=$?
	rm -f "$out/tools.img"
	cp "$out"/vm/results/*.{txt,err,jsonl} "$out/" 2>/dev/null || true
	for file in "$out"/*.jsonl; do
		[ ! -f "$file" ] || "$OUT/bin/reclaimwb" report --width 80 "$file" >"${file%.jsonl}.report"
	done
	[ $rc = 0 ] || die "the guest did not do all of it (exit $rc): see $out/vm"
	cat "$out/table.txt"
}

main "$@"; exit

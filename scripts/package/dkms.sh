#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# dkms.sh check KDIR     can the module be built for that kernel? One line says why not.
# dkms.sh build KDIR     build it, here, where dkms.conf is
#
# What dkms.conf calls. It stands in /usr/src with the module's source, kdir.sh, debian.sh with
# its lib.sh, and nothing else of the project. For headers of Debian's, debian.sh makes the
# metadata that they lack, and keeps it in /var/cache/reclaimwb. DKMS adds arguments of its own
# (CC=, LD=), which it takes from the kernel's: so do we, with their version.
set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

die() { echo "error: reclaimwb: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
# shellcheck source=../lib/kdir.sh
. "$TOP/scripts/lib/kdir.sh"
export RWB_CACHE=${RWB_CACHE:-/var/cache/reclaimwb}

# What the source does not build without, or would have nothing to say. dkms.conf has the same.
# What else a kernel may have (FPROBE, MEMCG, NBD, our patches), it may also lack.
needed() { sed -n 's/^BUILD_EXCLUSIVE_CONFIG="\(.*\)"$/\1/p' "$TOP/dkms.conf"; }

check() {
	local dir=$1 symbol
	[ "$(uname -m)" = x86_64 ] || die "it is for x86-64, this is $(uname -m)"
	[ -d "$dir" ] || die "no kernel build at $dir: install the headers or the build folder of that kernel"
	if lacks_metadata "$dir"; then
		"$TOP/scripts/build/debian.sh" able "$dir" || exit 1
	else
		check_kdir "$dir"
	fi
	for symbol in $(needed); do
		grep -q "^$symbol=[ym]" "$dir/.config" || die "KDIR=$dir was built without $symbol"
	done
}

case ${1:-} in
check | build) [ $# -ge 2 ] || die "usage: dkms.sh check|build KDIR" ;;
*) die "usage: dkms.sh check|build KDIR" ;;
esac
check "$2"
[ "$1" = build ] || exit 0
if lacks_metadata "$2"; then
	# It tells what it does, which takes minutes the first time.
	kdir=$("$TOP/scripts/build/debian.sh" kdir "$2")
	exec "$TOP/scripts/build/debian.sh" run "$kdir" make -C "$kdir" M="$TOP" -j"$(nproc)" modules
fi
llvm=$(kdir_llvm "$2")
exec make -C "$2" M="$TOP" -j"$(nproc)" ${llvm:+LLVM="$llvm"} modules

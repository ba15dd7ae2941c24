#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cache.sh list            what is in the cache, with sizes
# cache.sh clear [PART]    remove all of it, or one part as `list` names it
# cache.sh key             a name for what the dev kernels are made of, for who keeps the cache
#                          elsewhere (.github/workflows/)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

size() { du -sh --exclude='build-*' "$1" 2>/dev/null | cut -f1; }
row() { printf '%8s  %-44s %s\n' "$@"; }

list() {
	local dir build
	[ -d "$RWB_CACHE" ] || { echo "$RWB_CACHE is empty"; return; }
	echo "$RWB_CACHE"
	for dir in "$RWB_CACHE"/{apt,ccache,tools,deb/*,src/*,kernel/*}; do
		[ -d "$dir" ] || continue
		case ${dir#"$RWB_CACHE"/} in
		apt) row "$(size "$dir")" apt "package lists" ;;
		ccache) row "$(size "$dir")" ccache "compiled objects" ;;
		tools) row "$(size "$dir")" tools "bindgen and compiler links" ;;
		deb/*) [ -L "$dir" ] || row "$(size "$dir")" "${dir#"$RWB_CACHE"/}" "Debian package" ;;
		src/*) row "$(size "$dir")" "${dir#"$RWB_CACHE"/}" "kernel source, patched" ;;
		kernel/*)
			build=$(readlink -f "$dir")
			row "$(du -sh "$build" | cut -f1)" "${dir#"$RWB_CACHE"/}" "$(describe "$build")" ;;
		esac
	done
	row "$(du -sh "$RWB_CACHE" | cut -f1)" total ''
}

describe() {
	if [ -f "$1/.rwb-done" ]; then
		echo "kernel, last used $(date -r "$1/.rwb-used" +%F 2>/dev/null || echo never)"
	else
		echo "kernel, unfinished"
	fi
}

clear_cache() {
	local part=${1:-} path
	if [ -z "$part" ]; then
		# Only what we made, should the user have pointed us at a shared place.
		for path in apt ccache cargo-target tools deb shellcheck src kernel lock; do
			rm -rf "${RWB_CACHE:?}/$path"
		done
		rmdir "$RWB_CACHE" 2>/dev/null || true
		return
	fi
	case /$part/ in */../* | //*) die "cache.sh: no such part: $part" ;; esac
	path=$RWB_CACHE/$part
	[ -e "$path" ] || die "cache.sh: no such part: $part (see: cache.sh list)"
	[ ! -L "$path" ] || rm -rf "$(readlink -f "$path")"
	rm -rf "$path"
	# A source tree takes the kernels built inside it along.
	find "$RWB_CACHE/kernel" "$RWB_CACHE/deb" -xtype l -delete 2>/dev/null || true
}

# Of what kernel.sh makes its keys: source, patches, fragments and toolchain, of all variants
# that are not cross-built.
# Without the network, so the source counts by the name that is asked for.
key() {
	# shellcheck source=../lib/toolchain.sh
	. "$TOP/scripts/lib/toolchain.sh"
	# shellcheck source=../lib/source.sh
	. "$TOP/scripts/lib/source.sh"
	local llvm
	llvm=$(llvm_find || true)
	{
		echo "linux-source-$KERNEL"
		patch_list | xargs -r cat
		grep -L '^# arch:' "$TOP"/qemu/config/*.config | xargs grep -hE '^(# )?CONFIG_|^# needs:'
		rustc --version 2>/dev/null || echo "$RUSTC_MIN"
		echo "$BINDGEN_PIN"
		[ -z "$llvm" ] || "$llvm" --version | head -n1
	} | sha256sum | cut -c1-12
}

case ${1:-list} in
list) list ;;
key) key ;;
clear) clear_cache "${2:-}" ;;
*) die "usage: cache.sh list | clear [PART] | key" ;;
esac

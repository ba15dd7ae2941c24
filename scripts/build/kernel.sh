#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh [--variant NAME] [--print|--configure]: make sure that the dev kernel is built
# and print its build directory (the KDIR for modules) as the only line on stdout.
# --print only tells where it is, and fails when it is not built; --configure
# stops before the build.
#
# A variant is a fragment qemu/config/NAME.config (but for those that say "no variant")
# with what it needs below it, or several joined by '+' (base+btf). If a fragment has
# "# arch: NAME", its kernel is cross-built. The build directory's key is made of source, patches,
# fragments and toolchain; what is built once is found again.
#
# Debian's own kernel is the variant `debian`, or `debian-7.2` for the newest one of that version,
# or KDIR= of its headers: then the folder is made by debian.sh.
#
# KSRC=dir    a source tree of your own (never written to)
# KDIR=dir    a kernel you built yourself, used for every variant
# KERNEL=7.3  the linux-source package to start from
#
# shellcheck disable=SC2317 # shellcheck 0.9 loses all functions at the last exit
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
# shellcheck source=../lib/toolchain.sh
. "$TOP/scripts/lib/toolchain.sh"
# shellcheck source=../lib/source.sh
. "$TOP/scripts/lib/source.sh"
# shellcheck source=../lib/kdir.sh
. "$TOP/scripts/lib/kdir.sh"
# shellcheck source=../lib/typed.sh
. "$TOP/scripts/lib/typed.sh"

variant=base
print_only=
configure_only=
while [ $# -gt 0 ]; do
	case $1 in
	--variant) [ $# -gt 1 ] || die "--variant needs a name"; variant=$2; shift ;;
	--variant=*) variant=${1#*=} ;;
	--print) print_only=1 ;;
	--configure) configure_only=1 ;;
	*) die "usage: kernel.sh [--variant NAME] [--print|--configure]" ;;
	esac
	shift
done

# --- a kernel of the user's own

if [ -n "${KDIR:-}" ] && lacks_metadata "$KDIR"; then
	exec "$TOP/scripts/build/debian.sh" kdir "$KDIR"
elif is_debian "$variant" && [ -z "${KDIR:-}" ]; then
	debian_version "$variant"
	exec "$TOP/scripts/build/debian.sh" kdir
elif [ -n "${KDIR:-}" ]; then
	check_kdir "$KDIR"
	realpath "$KDIR"
	exit
fi

# --- configuration

needed_by() { sed -n 's/^# needs: //p' "$CONFIGS/$1.config" | head -n1; }

# fragments NAME: the fragment files of a variant, the lowest first. A fragment
# says with '# needs: NAME' what it is merged over.
fragments() {
	local part below
	for part in ${1//+/ }; do
		below=$(needed_by "$part")
		[ -z "$below" ] || fragments "$below" || return 1
		echo "$CONFIGS/$part.config"
	done | awk '!seen[$0]++'
}

# lost_symbols CONFIG FRAGMENT...: what the fragments want and the config has
# not; of several wishes for a symbol the last one counts.
lost_symbols() {
	awk '
	function wish(line) {
		if (match(line, /^CONFIG_[A-Za-z0-9_]+=/))
			return substr(line, 1, RLENGTH - 1)
		if (match(line, /^# CONFIG_[A-Za-z0-9_]+ is not set$/))
			return substr(line, 3, RLENGTH - 13)
		return ""
	}
	{ symbol = wish($0) }
	symbol == "" { next }
	FILENAME == ARGV[1] { got[symbol] = $0; next }
	{ want[symbol] = $0 }
	END {
		for (symbol in want) {
			off = want[symbol] ~ /^#/ || want[symbol] ~ /=n$/
			if (off ? got[symbol] ~ /=/ : got[symbol] != want[symbol])
				print symbol
		}
	}' "$@" | sort
}

kmake() { make -C "$SRC" O="$kdir" -j"$J" "$@"; }

configure() {
	local lost
	mkdir -p "$kdir"
	cat "${files[@]}" >"$kdir/wanted.config"
	kmake allnoconfig KCONFIG_ALLCONFIG=wanted.config >"$kdir/config.log" 2>&1 ||
		build_failed "$kdir/config.log"
	lost=$(lost_symbols "$kdir/.config" "${files[@]}")
	[ -z "$lost" ] || die "variant $variant: symbols lost in the merge (a dependency is missing): $(echo "$lost" | tr '\n' ' ')"
}

# --- building

build_failed() {
	show_errors "$1"
	die "kernel build failed, see $1"
}

# progress: count what the build says it does; a line now and then.
progress() {
	local line n=0 next=$((SECONDS + 15)) start=$SECONDS
	while IFS= read -r line; do
		printf '%s\n' "$line" >&3
		n=$((n + 1))
		if [ "$SECONDS" -ge "$next" ]; then
			say "$variant: $((SECONDS - start)) s, $n of about $expected steps (${line##* })"
			next=$((SECONDS + 15))
		fi
	done
	echo "$n" >"$kdir/.rwb-steps"
}

# Another variant over which this one only adds a little: start from a copy.
seed() {
	local below files_below other
	below=$(needed_by "$(basename "${files[-1]}" .config)")
	[ -n "$below" ] && [ ! -e "$kdir/build.log" ] || return 0
	[ "$(variant_arch "$below")" = "$(variant_arch "$variant")" ] || return 0
	mapfile -t files_below < <(fragments "$below")
	other=$(kdir_of "$below" "${files_below[@]}")
	[ -f "$other/.rwb-done" ] || return 0
	say "$variant: starting from a copy of $below"
	rm -rf "$kdir" "$kdir.tmp"
	cp -a --reflink=auto "$other" "$kdir.tmp"
	rm -f "$kdir.tmp"/.rwb-* "$kdir.tmp/build.log"
	# Some rules name their directory; rebuilt tools would mean a rebuilt kernel.
	find "$kdir.tmp/tools" "$kdir.tmp/rust" -name '.*.cmd' -exec sed -i "s|$other|$kdir|g" {} +
	mv "$kdir.tmp" "$kdir"
}

build() {
	local start=$SECONDS expected whole=
	[ ! -f "$kdir/.rwb-done" ] || [ -n "${KSRC:-}" ] || return 0
	seed
	if [ ! -f "$kdir/.rwb-configured" ]; then
		say "$variant: configuring ${SRC##*/} with ${files[*]##*/}"
		configure
		touch "$kdir/.rwb-configured"
	fi
	[ -z "$configure_only" ] || return 0
	rm -f "$kdir/.rwb-done"
	expected=$(cat "$RWB_CACHE/kernel/$variant.steps" 2>/dev/null || echo 2000)
	# A build that is taken up again tells nothing of a whole one.
	[ -e "$kdir/build.log" ] || whole=y
	say "$variant: building in $kdir (cold about 10 minutes on 2 cores, log in build.log)"
	kmake "$(basename "$(kdir_image "$kdir")")" modules 2>&1 | progress 3>"$kdir/build.log" ||
		build_failed "$kdir/build.log"
	[ -z "$whole" ] || cp "$kdir/.rwb-steps" "$RWB_CACHE/kernel/$variant.steps"
	check_kdir "$kdir"
	echo "$variant ${SRC##*/} $((SECONDS - start))s" >"$kdir/.rwb-done"
	say "$variant: built in $((SECONDS - start)) s"
}

# kdir_of VARIANT FRAGMENT...: where that variant is built. Inside the source
# tree for a tree of ours, which makes all paths in it relative: ccache then
# knows a file again whatever the tree is called.
kdir_of() {
	local name=$1 key
	shift
	# Comments make no other kernel.
	key=$({ echo "$SRC_ID"; grep -hE "^(# )?CONFIG_" "$@"; echo "$TOOLS_ID"; } | sha256sum | cut -c1-12)
	if [ -n "${KSRC:-}" ]; then
		echo "$RWB_CACHE/kernel/$name-$key"
	else
		echo "$SRC/build-$name-$key"
	fi
}

main() {
	local list
	check_variant "$variant"
	list=$(fragments "$variant") || exit 1
	mapfile -t files <<<"$list"
	[ -n "$print_only" ] || "$TOP/scripts/build/deps.sh" kernel
	eval "$("$TOP/scripts/lib/env.sh")"
	ARCH=$(variant_arch "$variant")
	# What this machine has needs no name.
	if [ "$ARCH" = x86_64 ]; then unset ARCH; else export ARCH; fi
	TOOLS_ID=$(rustc --version 2>&1; bindgen --version 2>&1; "$(llvm_find)" --version 2>&1 | head -n1)
	find_source
	kdir=$(kdir_of "$variant" "${files[@]}")
	if [ -n "$print_only" ]; then
		[ -f "$kdir/.rwb-done" ] || die "variant $variant is not built: make kernel VARIANT=$variant"
	else
		mkdir -p "$RWB_CACHE/kernel"
		with_lock source get_source
		with_lock "kernel-$variant" build
		[ -n "${KSRC:-}" ] || ln -sfn "$kdir" "$RWB_CACHE/kernel/${kdir##*/build-}"
		touch "$kdir/.rwb-used"
	fi
	echo "$kdir"
}

# On one line: bash reads on only after main, and a build takes long enough for an
# edit or a pull to change this file under it.
as_group main; exit

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh says in one line why it cannot provide a kernel: a source that is not there or cannot be
# trusted, a patch, a config symbol, or a tree or build of the user's own.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

kernel=$TOP/scripts/build/kernel.sh
unset KDIR KSRC
export RWB_NO_INSTALL=1
ours=$(rustc --version)

ktap_print_header
ktap_set_plan 32

# --- a kernel of the user's own
k=$scratch/kdir
mkdir -p "$k/rust"
refuses "KDIR that is no build" "no kernel build directory" env KDIR="$k" "$kernel"
echo '# CONFIG_RUST is not set' >"$k/.config"
refuses "KDIR without Rust" "built without CONFIG_RUST" env KDIR="$k" "$kernel"
printf 'CONFIG_RUST=y\nCONFIG_RUSTC_VERSION_TEXT="rustc 1.84.0 (9fc6b4312 2025-01-07)"\n' >"$k/.config"
refuses "KDIR configured but not built" "has no Module.symvers" env KDIR="$k" "$kernel"
touch "$k/Module.symvers"
refuses "KDIR of a header package" "has no Rust metadata" env KDIR="$k" "$kernel"
touch "$k/rust/libkernel.rmeta"
refuses "KDIR of another rustc" "built with rustc 1.84.0 .* on PATH is $(printf %s "$ours" | sed 's/[][()]/./g')" \
	env KDIR="$k" "$kernel"
printf 'CONFIG_RUST=y\nCONFIG_RUSTC_VERSION_TEXT="%s"\n' "$ours" >"$k/.config"
if [ "$(KDIR=$k "$kernel" 2>"$scratch/stderr")" = "$(realpath "$k")" ]; then
	ktap_test_pass "a fit KDIR is taken as it is"
else
	ktap_test_fail "a fit KDIR is taken as it is"
fi

# --- a source tree of the user's own
refuses "KSRC that is not there" "does not exist" env KSRC="$scratch/nosuch" "$kernel"
refuses "KSRC that is no kernel" "no kernel source tree" env KSRC="$scratch" "$kernel"
mkdir -p "$scratch/ksrc/scripts/kconfig"
touch "$scratch/ksrc/scripts/kconfig/merge_config.sh" "$scratch/ksrc/.config"
refuses "KSRC that was built in" "not clean .*make mrproper" env KSRC="$scratch/ksrc" "$kernel"

# --- arguments
refuses "an unknown variant" "no variant 'nosuch': there is arm64 base base-btrfs base-nbd base-vng bench btf debian debug debug-xfs hotplug kcsan$" "$kernel" --variant nosuch
refuses "a fragment that is no variant" "no variant 'core': there is arm64 base " "$kernel" --variant core
refuses "such a fragment as a part of a variant" "no variant 'disk': there is arm64 base " "$kernel" --variant base+disk
refuses "Debian's with a fragment" "variant 'debian\+btf': debian, or debian-7.2, is a kernel by itself" "$kernel" --variant debian+btf
refuses "no version of Debian's" "variant 'debian-old': debian, or debian-7.2, is a kernel by itself" "$kernel" --variant debian-old
refuses "an unknown argument" "usage: kernel.sh" "$kernel" --nosuch

# --- make names mistyped arguments before deps.sh can miss anything
bare=$(path_without flex qemu-system-x86_64)
typed() { # ARGUMENT OF make...
	local rc=0
	env -u MAKEFLAGS -u MFLAGS -u VARIANT PATH="$bare" make -s --no-print-directory -C "$TOP" "$@" 2>"$scratch/make" || rc=$?
	grep -v '^make[][0-9]*: ' "$scratch/make" >&2
	return $rc
}
refuses "deps.sh would miss something" "missing: flex" typed kernel
refuses "make vm, no such test" "no test 'nope.sh': there is .*module/load.sh" typed vm RUN=nope.sh
refuses "make vm, a file name that several tests have" "several tests are named 'slow.sh': handoff/slow.sh stall/slow.sh" typed vm RUN=slow.sh
refuses "make vm, no such test beside another" "no test 'nope.sh': there is " typed vm RUN='module/load.sh nope.sh'
refuses "make vng, no such test" "no test 'nope.sh': there is .*module/load.sh" typed vng RUN=nope.sh
refuses "make vm, no such variant" "no variant 'foo': there is arm64 base " typed vm VARIANT=foo
refuses "make module, no such KDIR" "KDIR=/nonexistent: there is no such folder" typed module KDIR=/nonexistent
refuses "make kernel, no such KSRC" "KSRC=/nonexistent does not exist" typed kernel KSRC=/nonexistent
refuses "make oom-matrix, no such cell" "no cell 'nope': it is RAM:SWAP:LINK:" typed oom-matrix CELLS=nope
refuses "make oom-matrix, no such link" "no NBD server 'nope' in the cell .*: there is fast " typed oom-matrix CELLS=256:256:nope:2:0:0:0

# --- if a script is killed, its commands end with it
cat >"$scratch/grouped" <<END
. "$TOP/scripts/lib/lib.sh"
work() { sh -c 'echo \$\$ >"$scratch/pid"; exec sleep 600' | cat; }
as_group work
END
bash "$scratch/grouped" &
script=$!
for ((n = 0; n < 100; n++)); do [ ! -s "$scratch/pid" ] || break; sleep 0.1; done
kill "$script"
rc=0
wait "$script" || rc=$?
is "a script that is told to end ends" "$rc" 143
ended() {
	local n
	for ((n = 0; n < 100; n++)); do
		kill -0 "$(cat "$scratch/pid")" 2>/dev/null || return 0
		sleep 0.1
	done
	kill "$(cat "$scratch/pid")"
	return 1
}
holds "its commands end with it" ended

# --- the source
c=$scratch/cache
mkdir -p "$c"
ln -s "$RWB_CACHE/tools" "$c/tools"
RUST_LIB_SRC=$(eval "$("$TOP/scripts/lib/env.sh")" && echo "${RUST_LIB_SRC:-}")
export RUST_LIB_SRC
refuses "a mirror that is not there" "cannot read suite trixie-backports from http://127.0.0.1:1/debian" \
	env RWB_CACHE="$c" DEBIAN_MIRROR=http://127.0.0.1:1/debian "$kernel" --configure

mirror=$scratch/mirror
mkdir -p "$mirror/dists/trixie-backports"
printf 'Origin: Debian\nSuite: trixie-backports\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n' >"$mirror/dists/trixie-backports/Release"
refuses "a mirror without Debian's signature" "cannot read suite trixie-backports from file:.*not signed" \
	env RWB_CACHE="$c" DEBIAN_MIRROR="file://$mirror" "$kernel" --configure

# A repository with a tiny "kernel", and a patch that does not fit it.
repo=$scratch/repo
mkdir -p "$repo/qemu" "$c/deb/linux-source-7.3_7.3.0-1/usr/src" "$scratch/tree/linux-source-7.3"
cp -r "$TOP/scripts" "$repo/"
cp -r "$TOP/qemu/config" "$repo/qemu/"
mkdir "$repo/qemu/patches"
echo 'one' >"$scratch/tree/linux-source-7.3/file"
tar -C "$scratch/tree" -cJf "$c/deb/linux-source-7.3_7.3.0-1/usr/src/linux-source-7.3.tar.xz" linux-source-7.3
ln -s linux-source-7.3_7.3.0-1 "$c/deb/linux-source-7.3"
printf -- '--- a/file\n+++ b/file\n@@ -1 +1 @@\n-two\n+three\n' >"$repo/qemu/patches/9999-unfit.patch"
refuses "a patch that does not apply" "9999-unfit.patch does not apply to 7.3.0-1" \
	env RWB_CACHE="$c" "$repo/scripts/build/kernel.sh" --configure
if compgen -G "$c/src/*[!p]/file" >/dev/null; then
	ktap_test_fail "a half-patched tree is not taken for a source tree"
else
	ktap_test_pass "a half-patched tree is not taken for a source tree"
fi
rm "$repo/qemu/patches/9999-unfit.patch"

# --- configuration, on the real source
printf '# needs: core\nCONFIG_NOSUCH_SYMBOL=y\nCONFIG_XFS_QUOTA=y\n' >"$repo/qemu/config/lossy.config"
refuses "lost config symbols are all named" "symbols lost .*CONFIG_NOSUCH_SYMBOL CONFIG_XFS_QUOTA" \
	"$repo/scripts/build/kernel.sh" --variant lossy --configure
rm -rf "$RWB_CACHE"/src/*/build-lossy-*

ktap_finished

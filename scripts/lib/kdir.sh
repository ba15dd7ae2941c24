# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Is a built kernel fit for a Rust module, and what built it? kernel.sh, install.sh and dkms.sh
# source this file. They must have `die` and `have`. dkms.sh has nothing else of ours.

# kdir_arch DIR: print the architecture of a kernel, as ARCH= names it for its build.
kdir_arch() { if grep -qs '^CONFIG_ARM64=y' "$1/.config"; then echo arm64; else echo x86_64; fi; }

# kdir_image DIR: print the file that QEMU boots.
kdir_image() {
	case $(kdir_arch "$1") in
	arm64) echo "$1/arch/arm64/boot/Image" ;;
	*) echo "$1/arch/x86/boot/bzImage" ;;
	esac
}

# for_kernel DIR: build modules for the architecture of that kernel from now on, also on a machine of
# another one.
for_kernel() { [ "$(kdir_arch "$1")" = x86_64 ] || export ARCH=arm64; }

# debian_headers DIR: does it come from a header package of Debian?
debian_headers() { [ -f "$1/.kernelvariables" ] && grep -qs '^#define LINUX_PACKAGE_ID " Debian ' "$1/include/generated/package.h"; }

# lacks_metadata DIR: does it, and lack what a Rust module needs? Then debian.sh can help.
lacks_metadata() { debian_headers "$1" && [ ! -e "$1/.rwb-debian" ] && ! compgen -G "$1/rust/*.rmeta" >/dev/null; }

# built_kdir DIR: is it a built kernel with all that a Rust module needs?
built_kdir() {
	local dir=$1
	[ -d "$dir" ] || die "KDIR=$dir: there is no such folder; give one that a kernel was built in"
	[ -f "$dir/.config" ] || die "KDIR=$dir is no kernel build directory: it has no .config"
	grep -q '^CONFIG_RUST=y' "$dir/.config" || die "KDIR=$dir was built without CONFIG_RUST"
	[ -f "$dir/Module.symvers" ] || die "KDIR=$dir has no Module.symvers: the kernel was configured but not built"
	# Ubuntu's headers have a link to another package.
	[ ! -L "$dir/rust" ] || [ -e "$dir/rust" ] ||
		die "KDIR=$dir has no Rust metadata: rust is a link to $(readlink "$dir/rust"), which is not there; install the package that holds it (on Ubuntu: linux-lib-rust-$(cat "$dir/include/config/kernel.release" 2>/dev/null))"
	compgen -G "$dir/rust/*.rmeta" >/dev/null ||
		die "KDIR=$dir has no Rust metadata (rust/*.rmeta): header packages lack it, use the full build directory"
}

# check_kdir DIR: can a Rust module be built for it on this machine?
check_kdir() {
	local dir=$1 built ours
	built_kdir "$dir"
	# This file names the compilers, wherever they are.
	[ ! -f "$dir/.rwb-debian" ] || return 0
	built=$(sed -n 's/^CONFIG_RUSTC_VERSION_TEXT="\(.*\)"$/\1/p' "$dir/.config")
	ours=$(rustc --version 2>/dev/null) || die "no rustc on PATH; KDIR=$dir was built with $built"
	[ "$built" = "$ours" ] || die "KDIR=$dir was built with $built, on PATH is $ours: they must be the same"
}

# kdir_llvm DIR: print the LLVM= that names the clang which built it, or nothing if gcc did.
kdir_llvm() {
	local dir=$1 major
	grep -q '^CONFIG_CC_IS_CLANG=y' "$dir/.config" || return 0
	major=$(sed -n 's/^CONFIG_CLANG_VERSION=\([0-9]*\)[0-9]\{4\}$/\1/p' "$dir/.config")
	if have "clang-$major" && have "ld.lld-$major"; then
		echo "-$major"
	elif have clang && have ld.lld && [ "$(clang -dumpversion | cut -d. -f1)" = "$major" ]; then
		echo 1
	else
		die "KDIR=$dir was built with clang $major, which is not here: apt-get install clang-$major lld-$major llvm-$major"
	fi
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# debian.sh says in one line why it cannot build for a Debian kernel: headers that are incomplete or
# not Debian's, packages that are not offered, another compiler, source, config or symbol. There is
# no network, and no kernel is built.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

debian=$TOP/scripts/build/debian.sh
unset KDIR KSRC DEBIAN_KERNEL KERNEL
export RWB_CACHE=$scratch/cache RWB_NO_INSTALL=1
export DEBIAN_MIRROR=http://127.0.0.1:1/debian

release=7.3.4+deb13-amd64
version=7.3.4-1~bpo13+1
cc='x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0'
rust='rustc 1.85.1 (4eb161250 2025-03-15) (built from a source tarball)'

ktap_print_header
ktap_set_plan 34

# headers DIR: makes headers as the package has them.
headers() {
	mkdir -p "$1/include/generated" "$1/include/config"
	echo "override KERNELRELEASE = $release" >"$1/.kernelvariables"
	echo "#define LINUX_PACKAGE_ID \" Debian $version\"" >"$1/include/generated/package.h"
	echo "$release" >"$1/include/config/kernel.release"
	printf 'CONFIG_RUST=y\nCONFIG_CC_VERSION_TEXT="%s"\nCONFIG_RUSTC_VERSION_TEXT="%s"\nCONFIG_BINDGEN_VERSION_TEXT="bindgen 0.71.1"\n# CONFIG_LTO is not set\n' \
		"$cc" "$rust" >"$1/.config"
	printf '0x00000000\t_RNvCs1_6kernel3one\tvmlinux\tEXPORT_SYMBOL_GPL\t\n0x00000000\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n' >"$1/Module.symvers"
}
# The same headers are in the cache, as if they had been fetched.
package=$RWB_CACHE/deb/linux-headers-${release}_$version/usr/src/linux-headers-$release
headers "$package"
ln -s "linux-headers-${release}_$version" "$RWB_CACHE/deb/linux-headers-$release=$version"

# fresh: makes new headers, which the test can spoil.
fresh() {
	rm -rf "$scratch/h"
	h=$scratch/h/linux-headers-$release
	headers "$h"
}

# --- the headers
fresh
refuses "a folder that is not there" "KDIR=/nonexistent is not of a header package of Debian's" "$debian" kdir /nonexistent
rm "$h/include/generated/package.h"
refuses "headers that are not Debian's" "is not of a header package of Debian's" "$debian" kdir "$h"
fresh
rm "$h/include/config/kernel.release"
refuses "no release" "no include/config/kernel.release: reinstall" "$debian" kdir "$h"
fresh
echo 7.3.5+deb13-amd64 >"$h/include/config/kernel.release"
refuses "the release of another kernel" "says that it is of 7.3.5\+deb13-amd64 .*: reinstall linux-headers-7.3.4\+deb13-amd64$" "$debian" kdir "$h"
fresh
rm "$h/Module.symvers"
refuses "no Module.symvers" "has no Module.symvers: reinstall linux-headers-7.3.4\+deb13-amd64$" "$debian" kdir "$h"
fresh
: >"$h/.config"
refuses "no config" "has no .config: reinstall" "$debian" kdir "$h"
fresh
sed -i 's/^CONFIG_RUST=y/# CONFIG_RUST is not set/' "$h/.config"
refuses "a kernel without Rust" "was built without CONFIG_RUST$" "$debian" kdir "$h"
fresh
echo >>"$h/Module.symvers"
refuses "a changed Module.symvers" "is not as Debian's package linux-headers-.* has it \(Module.symvers differs\)" "$debian" kdir "$h"
fresh
echo CONFIG_NEW=y >>"$h/.config"
refuses "a changed config" "\(.config differs\): reinstall it" "$debian" kdir "$h"

# --- DKMS asks before it builds
dkms=$TOP/scripts/package/dkms.sh
fresh
refuses "DKMS: a kernel without tracepoints" "was built without CONFIG_TRACEPOINTS$" "$dkms" check "$h"
fresh
sed -i 's/^CONFIG_CC_VERSION_TEXT=.*/CONFIG_CC_VERSION_TEXT="clang version 19.1.7"/' "$h/.config"
refuses "DKMS: a kernel that cannot be built again" "only what Debian's gcc built can be built again$" "$dkms" check "$h"
fresh
sed -n 's/^BUILD_EXCLUSIVE_CONFIG="\(.*\)"$/\1/p' "$TOP/dkms.conf" | tr ' ' '\n' | sed 's/$/=y/' >>"$h/.config"
holds "DKMS: headers that lack only the metadata are accepted" quiet "$dkms" check "$h"
refuses "DKMS: the build must complete them, or it fails" "is not as Debian's package linux-headers-.* has it" "$dkms" build "$h"

# --- which kernel
refuses "a kernel that is not Debian 13's" "kernel 6.1.0-9-amd64 is not of Debian 13" env DEBIAN_KERNEL=6.1.0-9-amd64 "$debian" kdir
refuses "a kernel of another architecture" "kernel 7.3.4\+deb13-arm64 is not of Debian 13 for amd64" env DEBIAN_KERNEL=7.3.4+deb13-arm64 "$debian" kdir
refuses "no archive" "cannot read suite trixie-backports from http://127.0.0.1:1/debian" "$debian" kdir
refuses "no archive to ask for what it offers" "cannot read suite trixie-backports from http://127.0.0.1:1/debian" "$debian" offers
refuses "no folder to run in" "KDIR=$scratch is none that debian.sh made" "$debian" run "$scratch" true
# shellcheck disable=SC2016 # the inner shell's
refuses "compilers that are gone" "no longer in the cache" bash -c 'mkdir "$1/kdir"; echo "$1/gone" >"$1/kdir/.rwb-debian"; "$2" run "$1/kdir" true' - "$scratch" "$debian"
refuses "an unknown command" "usage: debian.sh" "$debian" nosuch
# shellcheck disable=SC2016 # the inner shell's
refuses "make, another distribution" "DISTRO=suse: there is debian" bash -c \
	'env -u MAKEFLAGS -u MFLAGS make -s -C "$1" module DISTRO=suse 2>&1 | sed "s/^Makefile:[0-9]*: [*]* \(.*\)\.  Stop\./error: \1/" >&2; exit 1' - "$TOP"

# by COMMAND...: calls a function of the script, with these headers.
by() {
	bash -c '. "$1"; headers=$2 release=$3 version=$4 tools=host; shift 4; eval "$@"' \
		- "$debian" "$package" "$release" "$version" "$@" 2>&1 | tee -a "$scratch/said" >&2
	return "${PIPESTATUS[0]}"
}

# --- one of a version
lists() {
	by "apt_state() { echo none; }
		apt-cache() { printf 'linux-headers-%s+deb13-amd64\n' 7.2.9 7.2.12 7.20.1 7.3.4 | grep -E \"\${!#}\" | sed 's/\$/ - Linux/'; }
		KERNEL=$1 newest_release"
}
is "the newest one of a version" "$(lists 7.2 2>&1)" 7.2.12+deb13-amd64
refuses "a version that is no longer on offer" "Debian \(trixie-backports\) offers no kernel 7.1$" lists 7.1

# --- the compilers
as_said="in_tools() { case \$1 in *gcc*) echo '$cc' ;; rustc) echo '$rust' ;; bindgen) echo bindgen 0.71.1 ;; esac; }"
holds "the same compilers are taken" by "check_config; $as_said; [ -z \"\$(tools_differ)\" ]"
other_gcc() { by "check_config; ${as_said/14.2.0-19/13.3.0-1}; die \"\$(tools_differ)\""; }
refuses "another gcc" 'gcc is "x86_64-linux-gnu-gcc-14 \(Debian 13.3.0-1\) 14.2.0", and the kernel was built with "x86_64-linux-gnu-gcc-14 \(Debian 14.2.0-19\) 14.2.0"' other_gcc
other_rustc() { by "check_config; ${as_said/1.85.1/1.86.0}; die \"\$(tools_differ)\""; }
refuses "another rustc" 'rustc is "rustc 1.86.0 .*, and the kernel was built with "rustc 1.85.1 ' other_rustc
no_bindgen() { by "check_config; ${as_said/bindgen) echo bindgen 0.71.1/nosuch) true}; die \"\$(tools_differ)\""; }
refuses "no bindgen" 'bindgen is not there, and the kernel was built with "bindgen 0.71.1"' no_bindgen
clang() { by "headers=$scratch/clang; mkdir \$headers; sed 's/x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0/Debian clang version 19.1.7/' $package/.config >\$headers/.config; check_config"; }
refuses "a kernel that clang built" "was built by 'Debian clang version 19.1.7': only what Debian's gcc built" clang

# --- what was built
printf 'CONFIG_RUST=y\nCONFIG_LTO=y\n' >"$scratch/config"
printf 'CONFIG_RUST=y\n# CONFIG_LTO is not set\n' >"$scratch/config.theirs"
refuses "another config" "CONFIG_LTO is 'n' in Debian's headers, and 'y' with this source" by "same_config $scratch/config.theirs $scratch/config"
mkdir "$scratch/rust"
exports() { for name; do echo "EXPORT_SYMBOL_RUST_GPL($name);"; done >"$scratch/rust/exports_kernel_generated.h"; }
exports _RNvCs1_6kernel3one
symbols=$(by "same_symbols $package/Module.symvers $scratch/rust" 2>&1)
is "equal symbols are counted" "$symbols" 1
exports _RNvCs2_6kernel3one
refuses "another symbol" "not of this kernel: it exports _RNvCs1_6kernel3one, and what was built here does not" by "same_symbols $package/Module.symvers $scratch/rust"
exports _RNvCs1_6kernel3one _RNvCs1_6kernel3two
refuses "a symbol too many" "not of this kernel: what was built here exports _RNvCs1_6kernel3two, and the kernel does not" by "same_symbols $package/Module.symvers $scratch/rust"
printf '0x00000000\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n' >"$scratch/symvers"
refuses "a kernel that exports no Rust symbol" "has no symbol of Rust code" by "same_symbols $scratch/symvers $scratch/rust"
other_source() { by "in_tools() { echo 7.3.6; }; tmp=$scratch/tmp; build_metadata"; }
refuses "the source of another version" "linux-source 7.3.4-1~bpo13\+1 holds Linux 7.3.6, and the kernel is 7.3.4\+deb13-amd64" other_source

ktap_finished

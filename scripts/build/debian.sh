#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# debian.sh kdir [HEADERS]      make sure that a Rust module can be built for Debian's own kernel,
#                               and print the folder to build it against (a KDIR)
# debian.sh able HEADERS        is there a way for these headers? Fetches nothing
# debian.sh offers              print the release that kdir would take; fetches package lists only
# debian.sh image [HEADERS]     the same as kdir, with the kernel and the modules that a guest needs
# debian.sh run KDIR COMMAND... run a command where that kernel's compilers are
#
# Debian builds its kernel with CONFIG_RUST, but its header packages lack the metadata of the
# kernel's crates. They are built here once more, for exactly that kernel: from Debian's source
# package, with the headers' config, and with the compilers that the config names. The result is
# taken only if its config and all its exported symbols are those of the headers.
#
# HEADERS is a folder linux-headers-RELEASE that lacks the metadata; else it is the kernel
# DEBIAN_KERNEL=RELEASE, the newest one of version KERNEL=7.2, or the newest one of trixie-backports. Packages come from the private
# apt state in the cache (lib.sh). Where the machine has not the same compilers, Debian's are
# unpacked in the cache, and used by chroot: as root, or in a user namespace.
#
# shellcheck disable=SC2317 # shellcheck 0.9 loses all functions at the last exit
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
# shellcheck source=../lib/kdir.sh
. "$TOP/scripts/lib/kdir.sh"

# Raised when what is built, or where it is put, changes.
RECIPE=1
DEBIAN_SUITE=trixie
# Kernels of backports, and newer ones of the release itself.
KERNEL_SUITES=("$DEBIAN_SUITE-backports" "$DEBIAN_SUITE")

# The kernel's architecture, as Debian names it. What is not this machine's is cross-built.
arch=${DEBIAN_ARCH:-amd64}

# of_arch COMMAND...: run it for packages of that architecture.
of_arch() { if [ "$arch" = amd64 ]; then "$@"; else DEB_ARCH=$arch "$@"; fi; }

# --- which kernel: release, version (of its packages), conf_text (its config)

# newest_release: of version KERNEL; or what Debian's own package of the newest kernel depends on.
newest_release() {
	local conf found
	conf=$(of_arch apt_state "${KERNEL_SUITES[0]}") || exit 1
	if [ -n "${KERNEL:-}" ]; then
		# Only names of what is there: pkgnames also has names that others depend on.
		found=$(apt-cache -c "$conf" search --names-only "^linux-headers-${KERNEL//./\\.}(\.[0-9]+)*\\+deb13-$arch\$" |
			sed 's/^linux-headers-//; s/ .*//' | sort -V | tail -n1) || true
		[ -n "$found" ] || die "Debian (${KERNEL_SUITES[0]}) offers no kernel $KERNEL"
		echo "$found"
		return
	fi
	found=$(apt-cache -c "$conf" show "linux-image-$arch" 2>/dev/null |
		sed -n 's/^Depends:.*linux-image-\([0-9][^ ,]*\).*/\1/p' | head -n1)
	[ -n "$found" ] || die "Debian (${KERNEL_SUITES[0]}) offers no linux-image-$arch"
	echo "$found"
}

# package_version RELEASE: the newest version of that kernel's headers.
package_version() {
	local suite conf found
	for suite in "${KERNEL_SUITES[@]}"; do
		conf=$(of_arch apt_state "$suite") || exit 1
		found=$(deb_versions "$conf" "linux-headers-$1" | head -n1)
		[ -z "$found" ] || { echo "$found"; return; }
	done
	die "Debian (${KERNEL_SUITES[*]}) offers no linux-headers-$1: see 'apt-cache search linux-headers' for DEBIAN_KERNEL="
}

# of_headers DIR: set release and version from a folder of headers, and see whether it is whole.
of_headers() {
	local dir=${1%/} name
	debian_headers "$dir" || die "KDIR=$dir is not of a header package of Debian's (include/generated/package.h does not say so)"
	release=$(cat "$dir/include/config/kernel.release" 2>/dev/null) || die "KDIR=$dir has no include/config/kernel.release: reinstall the header package"
	name=$(basename "$(realpath "$dir")")
	case $name in
	linux-headers-"$release") ;;
	linux-headers-*) die "KDIR=$dir says that it is of $release (include/config/kernel.release): reinstall $name" ;;
	esac
	version=$(sed -n 's/^#define LINUX_PACKAGE_ID " Debian \(.*\)"$/\1/p' "$dir/include/generated/package.h")
	[ -s "$dir/Module.symvers" ] || die "KDIR=$dir has no Module.symvers: reinstall linux-headers-$release"
	[ -s "$dir/.config" ] || die "KDIR=$dir has no .config: reinstall linux-headers-$release"
	grep -q '^CONFIG_RUST=y' "$dir/.config" || die "KDIR=$dir was built without CONFIG_RUST"
}

# value SYMBOL [CONFIG]: what the config says, without quotes.
value() { sed -n "s/^CONFIG_$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "${2:-$headers/.config}"; }

# check_release: is there a way for this kernel?
check_release() {
	case $release in
	*+deb13*-"$arch") ;;
	*) die "kernel $release is not of Debian 13 for $arch (no +deb13...-$arch in its name): use a kernel that was built by hand (KDIR=)" ;;
	esac
}

# check_config: what the compilers were. Sets gcc, gcc_package, rustc_text and others.
check_config() {
	grep -q '^CONFIG_RUST=y' "$headers/.config" || die "kernel $release was built without CONFIG_RUST: take a newer one"
	cc_text=$(value CC_VERSION_TEXT)
	[[ $cc_text =~ ^([a-z0-9_-]*gcc-[0-9]+)\ \(Debian\ ([^\)]+)\) ]] ||
		die "kernel $release was built by '$cc_text': only what Debian's gcc built can be built again"
	gcc=${BASH_REMATCH[1]} gcc_version=${BASH_REMATCH[2]}
	rustc_text=$(value RUSTC_VERSION_TEXT)
	[[ $rustc_text =~ ^rustc\ ([0-9.]+)\  ]] ||
		die "kernel $release was built by '$rustc_text': no released rustc"
	rustc_version=${BASH_REMATCH[1]}
	bindgen_text=$(value BINDGEN_VERSION_TEXT)
}

# --- the compilers

# In the order of what is asked: WHAT  WHAT IT SAYS OF ITSELF  WHAT BUILT THE KERNEL
tool_texts() {
	cat <<-END
	gcc	$1	$cc_text
	rustc	$2	$rustc_text
	bindgen	$3	$bindgen_text
	END
}

# tools_differ: the first compiler, by in_tools, that is not what built the kernel.
tools_differ() {
	local cc rust bind
	cc=$(in_tools "$gcc" --version 2>/dev/null | head -n1) || true
	rust=$(in_tools rustc --version 2>/dev/null) || true
	# Some bindgen wants a header for that.
	bind=$(in_tools bindgen --version x.h 2>/dev/null | head -n1) || true
	tool_texts "$cc" "$rust" "$bind" | awk -F '\t' '$2 != $3 {
		print $1 " is " ($2 == "" ? "not there" : "\"" $2 "\"") ", and the kernel was built with \"" $3 "\""
		exit }'
}

# in_tools COMMAND...: run it where the compilers are, $tools: this machine, or a folder with
# Debian's packages. There the project, its output and the cache are at the same place.
in_tools() {
	local ns=(unshare --mount) clean=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C)
	if [ "$tools" = host ]; then
		"${clean[@]}" "TMPDIR=${TMPDIR:-/tmp}" "$@"
		return
	fi
	[ "$(id -u)" = 0 ] || ns+=(--map-root-user)
	mkdir -p "$OUT"
	# shellcheck disable=SC2016 # the inner shell's
	"${ns[@]}" /bin/sh -c '
		set -e
		root=$1 here=$2
		shift 2
		while [ "$1" != -- ]; do
			mkdir -p "$root$1"
			mount --bind "$1" "$root$1"
			shift
		done
		shift
		mount --rbind /dev "$root/dev"
		mount --rbind /proc "$root/proc"
		exec chroot "$root" /bin/sh -c "cd \"\$0\" 2>/dev/null; exec \"\$@\"" "$here" "$@"' \
		sh "$tools" "$PWD" "$TOP" "$OUT" "$RWB_CACHE" -- "${clean[@]}" "$@"
}

# What the kernel's build runs, besides the compilers; most of it Debian calls essential.
ROOT_PACKAGES=(base-files bash bc binutils bison bzip2 coreutils cpio dash diffutils findutils flex gawk grep gzip
	hostname kmod libc-bin libelf-dev libssl-dev make mawk openssl pahole perl-base python3 sed tar util-linux xz-utils zlib1g-dev)

# need_tools: set tools. This machine's own are taken if they are the same.
need_tools() {
	local why name
	tools=host
	if [ "$(os_codename)" = "$DEBIAN_SUITE" ] && [ "$arch" = amd64 ]; then
		why=$(tools_differ)
		[ -n "$why" ] || why=$(host_lacks)
		[ -n "$why" ] || return 0
		say "this machine's $why: taking Debian's packages, in the cache"
	fi
	name=$DEBIAN_SUITE-gcc-${gcc_version//[^A-Za-z0-9.-]/-}-rustc-$rustc_version
	[ "$arch" = amd64 ] || name+=-$arch
	tools=$RWB_CACHE/tools/$name
	[ -d "$tools" ] || with_lock "tools-$name" make_root || exit 1
	in_tools true 2>/dev/null ||
		die "the compilers of $DEBIAN_SUITE cannot be used here: $(in_tools true 2>&1 | head -n1): run as root, outside of a container or chroot; or allow user namespaces; or build on Debian 13 with $gcc and rustc $rustc_version"
	why=$(tools_differ)
	[ -z "$why" ] || die "Debian's $why: it cannot be built again with what $DEBIAN_SUITE offers"
}

# host_lacks: what the kernel's build needs and this machine has not.
host_lacks() {
	local what
	for what in make flex bison bc pahole ld depmod openssl python3; do
		have "$what" || { echo "$what is not there"; return; }
	done
	for what in gelf.h openssl/ssl.h zlib.h; do
		[ -e "/usr/include/$what" ] || compgen -G "/usr/include/*-linux-gnu/$what" >/dev/null ||
			{ echo "$what is not there"; return; }
	done
	[ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] || [ -d "/usr/src/rustc-$rustc_version/library" ] ||
		echo "rust-src is not there"
}

# pinned CONF PACKAGE UPSTREAM: PACKAGE=VERSION, the newest build of exactly that version.
pinned() {
	local found
	found=$(deb_versions "$1" "$2" "$3" | head -n1)
	[ -n "$found" ] || die "kernel $release was built with $2 $3, which Debian ($DEBIAN_SUITE) does not offer: install a newer kernel, or set DEBIAN_MIRROR= to an archive that has it"
	echo "$2=$found"
}

# make_root: unpack the compilers and what else a kernel's build runs, with all that they
# depend on. Nothing is configured: none of them needs it.
make_root() {
	local conf tmp=$tools.tmp packages=(gcc "${ROOT_PACKAGES[@]}") name upstream start=$SECONDS
	local cc=${gcc##*-gnu-}
	# The vDSO for 32-bit programs is built by a compiler of its own.
	[ "$arch" != arm64 ] || cc+=-aarch64-linux-gnu packages+=(libc6-dev-arm64-cross gcc-arm-linux-gnueabihf)
	[ ! -d "$tools" ] || return 0
	have unshare || die "unshare is missing: install util-linux"
	conf=$(apt_state "$DEBIAN_SUITE") || exit 1
	while read -r name upstream; do
		name=$(pinned "$conf" "$name" "$upstream") || exit 1
		packages+=("$name")
	done <<-END
		$cc $gcc_version
		rustc $rustc_version
		rust-src $rustc_version
		bindgen ${bindgen_text##* }
	END
	rm -rf "$tmp"
	say "fetching the compilers of $DEBIAN_SUITE: $gcc $gcc_version, rustc $rustc_version (once, about 270 MB)"
	deb_tree "$tmp" "$DEBIAN_SUITE" "${packages[@]}"
	mkdir -p "$tmp"/{dev,proc,tmp}
	# What maintainer scripts would have chosen.
	ln -sfn mawk "$tmp/usr/bin/awk"
	mv "$tmp" "$tools"
	say "unpacked the compilers in $((SECONDS - start)) s ($(du -sh "$tools" | cut -f1))"
}

# --- the metadata

# Of a kernel's source, what a configured tree's `make prepare` does not read. What is a
# Makefile or Kconfig stays.
LEFT_OUT=(drivers/gpu/drm drivers/net drivers/media drivers/staging drivers/scsi drivers/infiniband drivers/iio drivers/usb
	sound fs net Documentation tools/testing lib/crypto crypto samples)

# get_tree DIR: unpack the source, without the code of what is left out.
get_tree() {
	local dir=$1 tarball excludes=() part name
	tarball=$(find "$source_deb/usr/src" -name 'linux-source-*.tar.xz' | head -n1)
	[ -n "$tarball" ] || die "no source tarball in $source_deb"
	for part in "${LEFT_OUT[@]}"; do
		for name in '*.c' '*.S' '*.h' '*.rst' '*.json'; do excludes+=(--exclude="$source_package/$part/$name"); done
	done
	mkdir -p "$dir"
	tar -xJf "$tarball" --strip-components=1 -C "$dir" --anchored --wildcards "${excludes[@]}" || die "cannot unpack $tarball"
}

# config_lines FILE: sorted, one a symbol, without comments.
config_lines() { sed -n 's/^# \(CONFIG_[A-Za-z0-9_]*\) is not set$/\1=n/p; t; /^CONFIG_/p' "$1" | LC_ALL=C sort; }

config_value() { config_lines "$2" | sed -n "s/^$1=//p" | tr -d '"'; }

# same_config THEIRS OURS: dies with the first symbol that differs.
same_config() {
	local symbol
	symbol=$(LC_ALL=C diff <(config_lines "$1") <(config_lines "$2") | sed -n 's/^[<>] \([^=]*\)=.*/\1/p' | head -n1) || true
	[ -n "$symbol" ] || return 0
	die "the config cannot be had again: $symbol is '$(config_value "$symbol" "$1")' in Debian's headers, and '$(config_value "$symbol" "$2")' with this source and these compilers"
}

# their_symbols SYMVERS, our_symbols FOLDER: names of all that the kernel's crates export.
their_symbols() { awk '$3 == "vmlinux" && $2 ~ /^(_R|rust_helper_)/ { print $2 }' "$1" | LC_ALL=C sort -u; }
our_symbols() {
	cat "$1"/exports_*_generated.h | sed -n 's/^EXPORT_SYMBOL_RUST_GPL(\(.*\));$/\1/p' |
		grep -E '^(_R|rust_helper_)' | LC_ALL=C sort -u
}

# same_symbols SYMVERS FOLDER: dies with the first symbol that differs; prints how many there are.
same_symbols() {
	local line theirs ours
	theirs=$(their_symbols "$1")
	ours=$(our_symbols "$2")
	[ -n "$theirs" ] || die "$1 has no symbol of Rust code: this kernel exports none to modules"
	line=$(LC_ALL=C diff <(echo "$theirs") <(echo "$ours") | grep -m1 '^[<>]') || true
	case $line in
	'<'*) die "the metadata is not of this kernel: it exports ${line#< }, and what was built here does not" ;;
	'>'*) die "the metadata is not of this kernel: what was built here exports ${line#> }, and the kernel does not" ;;
	esac
	wc -l <<<"$theirs"
}

kmake() { in_tools make -C "$tmp/tree" O="$tmp/build" -j"$J" "$@"; }

# build_metadata: into $tmp/build.
build_metadata() {
	local log=$tmp/build.log theirs
	theirs=$(in_tools make -s -C "$tmp/tree" kernelversion 2>/dev/null) || die "the source of $version has no version of its own"
	case $release in
	"$theirs"[+-]*) ;;
	*) die "linux-source $version holds Linux $theirs, and the kernel is $release: they do not belong together" ;;
	esac
	mkdir -p "$tmp/build"
	cp "$headers/.config" "$headers/.kernelvariables" "$tmp/build/"
	kmake olddefconfig >"$log" 2>&1 || failed "$log"
	same_config "$headers/.config" "$tmp/build/.config"
	kmake prepare >>"$log" 2>&1 || failed "$log"
	cmp -s "$headers/include/generated/rustc_cfg" "$tmp/build/include/generated/rustc_cfg" ||
		die "the config that rustc was told (include/generated/rustc_cfg) is not that of Debian's headers"
}

failed() {
	show_errors "$1"
	cp "$1" "$RWB_CACHE/kernel/debian.log"
	die "Debian's kernel crates do not build, see $RWB_CACHE/kernel/debian.log"
}

# assemble DIR: a folder to build modules against: Debian's headers as they are, and the
# metadata. What is beside it in the packages is linked to.
assemble() {
	local dir=$1 file name
	name=$(basename "$kdir")
	cp -a "$headers" "$dir"
	rm -f "$dir/scripts" "$dir/tools"
	# The headers' Makefile takes the folder that it is in for that of its sources.
	cp -al "$common" "$dir/common"
	rm -f "$dir/common/scripts" "$dir/common/tools"
	mkdir "$dir/scripts" "$dir/rust"
	ln -s "$kbuild"/scripts/* "$dir/scripts/"
	ln -s "$kbuild/tools" "$dir/tools"
	ln -s "$kbuild/scripts" "$dir/common/scripts"
	ln -s common "$dir/source"
	printf 'KBUILD_OUTPUT=%s\ninclude %s/common/Makefile\n' "$kdir" "$kdir" >"$dir/Makefile"
	# For arm64, rustc knows the target.
	[ ! -f "$tmp/build/scripts/target.json" ] || cp "$tmp/build/scripts/target.json" "$dir/scripts/"
	cp "$tmp"/build/rust/*.rmeta "$tmp"/build/rust/*.so "$dir/rust/"
	# What a guest has of the kernel's source (qemu/mkinitramfs.sh).
	for file in tools/accounting/getdelays.c tools/testing/selftests/kselftest/ktap_helpers.sh usr/gen_init_cpio.c; do
		[ ! -f "$tmp/tree/$file" ] || install -D -m 644 "$tmp/tree/$file" "$dir/common/$file"
	done
	for file in include/uapi arch/{x86,arm64}/include/uapi; do
		mkdir -p "$dir/common/tools/${file%/*}"
		cp -r "$tmp/tree/tools/$file" "$dir/common/tools/$file"
	done
	ln -s "$kbuild"/tools/* "$dir/common/tools/"
	echo "$tools" >"$dir/.rwb-debian"
}

metadata() {
	local tmp=$kdir.tmp start=$SECONDS symbols unpacked
	[ ! -f "$kdir/.rwb-done" ] || return 0
	rm -rf "$tmp" "$kdir"
	mkdir -p "$tmp"
	say "Debian's $release ($version): building its kernel crates once more, for their metadata (once, some minutes)"
	get_tree "$tmp/tree"
	unpacked=$((SECONDS - start))
	build_metadata
	symbols=$(same_symbols "$headers/Module.symvers" "$tmp/build/rust") || exit 1
	assemble "$tmp/kdir"
	echo "debian $release $version $((SECONDS - start))s" >"$tmp/kdir/.rwb-done"
	mv "$tmp/kdir" "$kdir"
	rm -rf "$tmp"
	say "Debian's $release: all $symbols symbols of Rust code are those of its Module.symvers ($((SECONDS - start)) s, $unpacked of them to unpack the source; $(du -sh "$kdir" | cut -f1))"
}

# offered: the release that is built for if no headers are given.
offered() {
	release=${DEBIAN_KERNEL:-}
	[ -n "$release" ] || release=$(newest_release) || exit 1
	check_release
	version=$(package_version "$release") || exit 1
}

# find_kernel [HEADERS]: set all that is known of the kernel, and kdir.
find_kernel() {
	local given=${1:-} file upstream id
	if [ -n "$given" ]; then
		of_headers "$given"
		check_release
	else
		offered
	fi
	deb_hint="install a newer kernel, or set DEBIAN_MIRROR= to an archive that has $version"
	headers=$(of_arch deb_extract "linux-headers-$release=$version" "${KERNEL_SUITES[@]}")/usr/src/linux-headers-$release || exit 1
	check_config
	if [ -n "$given" ]; then
		for file in .config Module.symvers; do
			cmp -s "$given/$file" "$headers/$file" ||
				die "KDIR=$given is not as Debian's package linux-headers-$release $version has it ($file differs): reinstall it"
		done
	fi
	[[ $version =~ ^([0-9]+\.[0-9]+) ]] || die "version $version of linux-headers-$release is none of a kernel"
	upstream=${BASH_REMATCH[1]}
	source_package=linux-source-$upstream
	id=$({ echo "$RECIPE $version"; tool_texts '' '' ''; } | sha256sum | cut -c1-12)
	kdir=$RWB_CACHE/kernel/debian-${release//[^A-Za-z0-9.-]/-}-$id
}

# need_kdir: the rest of what it is built from is fetched only if it is not there.
need_kdir() {
	local abi=${release%-*}
	[ ! -f "$kdir/.rwb-done" ] || { tools=$(cat "$kdir/.rwb-debian"); return 0; }
	need_tools
	common=$(deb_extract "linux-headers-$abi-common=$version" "${KERNEL_SUITES[@]}")/usr/src/linux-headers-$abi-common || exit 1
	kbuild=$(deb_extract "linux-kbuild-$abi=$version" "${KERNEL_SUITES[@]}")/usr/lib/linux-kbuild-$abi || exit 1
	source_deb=$(deb_extract "$source_package=$version" "${KERNEL_SUITES[@]}") || exit 1
	mkdir -p "$RWB_CACHE/kernel"
	with_lock "kernel-$(basename "$kdir")" metadata
}

# --- the kernel to boot

# What a guest loads, or its tests do: with all that these depend on.
GUEST_MODULES=(virtio_pci virtio_console virtio_net virtio_blk virtio_rng 8139cp af_packet
	nbd zram brd null_blk loop dm-mod dm-delay dm-dust dm-flakey sch_netem sch_tbf ext4 xfs btrfs)
# The order of what PID 1 loads: without these it has no ports, network or disks.
GUEST_LOADS=(virtio_pci virtio_console virtio_net virtio_blk virtio_rng 8139cp af_packet)

# wanted_modules DIR: paths of GUEST_MODULES below DIR, and of what they depend on. What is no
# module is in the kernel.
wanted_modules() {
	local name path
	for name in "${GUEST_MODULES[@]}"; do
		path=$(awk -F: -v want="/${name//[-_]/[-_]}\\.ko(\\.xz|\\.zst|\\.gz)?\$" '$1 ~ want { print $1; exit }' "$1/modules.dep")
		[ -z "$path" ] || awk -v of="$path:" '$1 == of { sub(/:$/, "", $1); for (i = 1; i <= NF; i++) print $i }' "$1/modules.dep"
	done | awk '!seen[$0]++'
}

image() {
	local dir tmp=$kdir/.rwb-modules.tmp path to name
	[ ! -f "$kdir/.rwb-image" ] || return 0
	say "taking the kernel $release and its modules for a guest"
	rm -rf "$tmp" "$kdir/modules.order"
	mkdir -p "$tmp" "$(dirname "$(kdir_image "$kdir")")"
	dir=lib/modules/$release
	mkdir -p "$tmp/$dir"
	cp -al "$modules_deb/usr/$dir/kernel" "$tmp/$dir/"
	cp "$base_deb/usr/$dir"/modules.{order,builtin,builtin.modinfo} "$tmp/$dir/"
	in_tools depmod -b "$tmp" "$release" 2>"$tmp/log" || die "depmod failed: $(tail -n1 "$tmp/log")"
	while IFS= read -r path; do
		to=$kdir/${path#kernel/}
		to=${to%.xz}
		mkdir -p "$(dirname "$to")"
		case $path in
		*.xz) xz -dc "$tmp/$dir/$path" >"$to" ;;
		*.ko) cp "$tmp/$dir/$path" "$to" ;;
		*) die "module $path of $release: it is packed in a way that is not known" ;;
		esac
		echo "${to#"$kdir/"}" >>"$kdir/modules.order"
	done < <(wanted_modules "$tmp/$dir")
	[ -s "$kdir/modules.order" ] || die "linux-modules-$release holds none of: ${GUEST_MODULES[*]}"
	for name in "${GUEST_LOADS[@]}"; do
		! grep -qE "/${name//[-_]/[-_]}\.ko\$" "$kdir/modules.order" || echo "$name"
	done >"$kdir/.rwb-loads"
	rm -rf "$tmp"
	cp "$binary_deb/usr/$dir/vmlinuz" "$(kdir_image "$kdir")"
	touch "$kdir/.rwb-image"
}

need_image() {
	[ ! -f "$kdir/.rwb-image" ] || return 0
	base_deb=$(of_arch deb_extract "linux-base-$release=$version" "${KERNEL_SUITES[@]}") || exit 1
	modules_deb=$(of_arch deb_extract "linux-modules-$release=$version" "${KERNEL_SUITES[@]}") || exit 1
	binary_deb=$(of_arch deb_extract "linux-binary-$release=$version" "${KERNEL_SUITES[@]}") || exit 1
	with_lock "kernel-$(basename "$kdir")" image
}

# --- main

usage='usage: debian.sh kdir|image [HEADERS] | able HEADERS | offers | run KDIR COMMAND...'
main() {
	local what=${1:-}
	case $what in
	kdir | image)
		[ $# -le 2 ] || die "$usage"
		[ "$(uname -m)" = x86_64 ] || die "Debian's kernels are only known for x86-64, this is $(uname -m)"
		# apt's commands disturb each other in one private state, and guests that start together
		# all come here. In a moment it is another one's turn, so nothing is said.
		with_lock -q debian find_kernel "${2:-}"
		need_kdir
		[ "$what" = kdir ] || need_image
		touch "$kdir/.rwb-used"
		echo "$kdir" ;;
	able)
		[ $# = 2 ] || die "$usage"
		of_headers "$2"
		check_release
		headers=$2
		check_config ;;
	offers)
		[ $# = 1 ] || die "$usage"
		with_lock -q debian offered
		echo "$release" ;;
	run)
		[ $# -ge 3 ] || die "$usage"
		[ -f "$2/.rwb-debian" ] || die "KDIR=$2 is none that debian.sh made"
		tools=$(cat "$2/.rwb-debian")
		[ "$tools" = host ] || [ -d "$tools" ] || die "the compilers of KDIR=$2 are no longer in the cache ($tools): remove that folder, and run this again"
		in_tools "${@:3}" ;;
	*) die "$usage" ;;
	esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	main "$@"
	exit
fi

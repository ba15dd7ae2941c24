#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mkinitramfs.sh --kdir DIR [--variant NAME] [--fs] [--net]: build the guest's initramfs and print
# its path. It is not part of the kernel image, so that a changed test needs no new link of the
# kernel. If no input has changed, nothing is done.
#
# The content is a gen_init_cpio list (out/initramfs/NAME/spec shows it): PID 1, busybox, nbd-client
# with its libraries, the kernel's modules, and, if they were built, our modules, the tests and the
# reclaimwb tool. --fs adds what a guest with disks needs (spec-fs): filesystem modules, mkfs and
# dmsetup. --net adds what tests of swap over a network need (spec-net).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/lib.sh"
# shellcheck source=../scripts/lib/kdir.sh
. "$TOP/scripts/lib/kdir.sh"

usage='usage: mkinitramfs.sh --kdir DIR [--variant NAME] [--fs] [--net]'
variant=base kdir='' fs='' net=''
while [ $# -gt 0 ]; do
	case $1 in
	--kdir) kdir=${2:?$usage}; shift 2 ;;
	--variant) variant=${2:?$usage}; shift 2 ;;
	--fs) fs=-fs; shift ;;
	--net) net=-net; shift ;;
	*) die "$usage" ;;
	esac
done
[ -n "$kdir" ] || die "$usage"
[ -f "$kdir/include/config/kernel.release" ] || die "$kdir is no built kernel tree (no include/config/kernel.release)"
release=$(cat "$kdir/include/config/kernel.release")
ksrc=$(readlink -f "$kdir/source" 2>/dev/null) || ksrc=${KSRC:-$kdir}
[ -d "$ksrc" ] || ksrc=${KSRC:-$kdir}
work=$OUT/initramfs/$variant
# The guest's programs are for the architecture of its kernel. If that is not this machine's, `other`
# names it.
other=
[ "$(kdir_arch "$kdir")" = x86_64 ] || other=$(kdir_arch "$kdir")
programs_for "$other"

# --- the list: a file's directories are added before it

declare -A seen=()
with=$fs$net
spec=$work/spec$with.new

add_dir() {
	local dir=$1
	[ "$dir" != / ] && [ -z "${seen[$dir]:-}" ] || return 0
	add_dir "$(dirname "$dir")"
	seen[$dir]=1
	echo "dir $dir 0755 0 0" >>"$spec"
}
add_file() { # GUEST_PATH HOST_FILE [MODE]
	[ -z "${seen[$1]:-}" ] || return 0
	seen[$1]=1
	add_dir "$(dirname "$1")"
	case $2 in *[[:space:]]*) die "gen_init_cpio takes no path with white space: $2" ;; esac
	echo "file $1 $2 ${3:-0755} 0 0" >>"$spec"
}
add_link() { # GUEST_PATH TARGET
	[ -z "${seen[$1]:-}" ] || return 0
	seen[$1]=1
	add_dir "$(dirname "$1")"
	echo "slink $1 $2 0777 0 0" >>"$spec"
}

# soname_package libfoo-3.so.200: the package that Debian's policy names for a
# library (a hyphen where the name ends in a digit).
soname_package() {
	local name=${1%%.so.*} version=${1##*.so.}
	case $name in *[0-9]) name+=- ;; esac
	echo "${name//_/-}$version"
}

# of_guest PACKAGE: print the folder with the files of the package for the guest's architecture.
of_guest() { DEB_ARCH=$other deb_extract "$1"; }

# libraries_of FILE...: add to `found` the libraries that programs of another architecture need, and
# those that these need. They come from packages, because nothing here can load them.
libraries_of() {
	local soname package dir file
	for soname in $(readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u) \
			$(readelf -l "$@" | sed -n 's|.*interpreter: .*/\(.*\)\]|\1|p' | sort -u); do
		[ -z "${found[$soname]:-}" ] || continue
		case $soname in
		ld-linux-* | lib[cm].so.* | libpthread.so.* | libdl.so.* | librt.so.* | libresolv.so.*) package=libc6 ;;
		libgcc_s.so.1) package=libgcc-s1 ;;
		libe2p.so.2) package=libext2fs2 ;;
		libz.so.1) package=zlib1g ;;
		*) package=$(soname_package "$soname") ;;
		esac
		dir=$(of_guest "$package" 2>/dev/null) || dir=$(of_guest "${package}t64") ||
			die "$1 needs $soname, and no package $package has it"
		file=$(find "$dir" -name "$soname" -print -quit)
		[ -n "$file" ] || die "$1 needs $soname, and package $package does not hold it"
		file=$(readlink -f "$file")
		found[$soname]=$file
		libraries_of "$file"
	done
}

# add_binary GUEST_PATH HOST_FILE: add it with the libraries that it needs, which all go into /lib.
add_binary() {
	local libdirs='' tries soname package dir file
	add_file "$1" "$2"
	if [ -n "$other" ]; then
		local -A found=()
		libraries_of "$2"
		for soname in "${!found[@]}"; do add_file "/lib/$soname" "${found[$soname]}"; done
		return
	fi
	# ldd fails if the binary is static, and then there is nothing to add.
	ldd "$2" >/dev/null 2>&1 || return 0
	for tries in 1 2 3 4 5 6; do
		soname=$(LD_LIBRARY_PATH=$libdirs ldd "$2" | awk '/=> not found/ { print $1; exit }')
		[ -n "$soname" ] || break
		package=$(soname_package "$soname")
		dir=$(deb_extract "$package" 2>/dev/null) || dir=$(deb_extract "${package}t64") ||
			die "$2 needs $soname, and no package $package has it"
		file=$(find "$dir" -name "$soname" -print -quit)
		[ -n "$file" ] || die "$2 needs $soname, and package $package does not hold it"
		libdirs+=${libdirs:+:}$(dirname "$file")
	done
	[ "$tries" -lt 6 ] || die "$2 needs too many libraries that are not here ($soname)"
	while read -r file; do
		add_file "/lib/$(basename "$file")" "$(readlink -f "$file")"
	done < <(LD_LIBRARY_PATH=$libdirs ldd "$2" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
}

# --- what goes in

build_init() {
	local init=$OUT/initramfs/init${other:+-$other}
	if [ ! -x "$init" ] || [ "$TOP/qemu/init.c" -nt "$init" ]; then
		$GUEST_CC -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-missing-field-initializers -static \
			-o "$init.$$" "$TOP/qemu/init.c" || die "qemu/init.c does not compile (is the static libc there?)"
		mv "$init.$$" "$init"
	fi
	add_file /init "$init"
}

add_busybox() {
	local busybox theirs applet
	busybox=$(find "$(deb_extract busybox-static)" -name busybox -type f -perm -100 -path '*bin/*' -print -quit)
	[ -n "$busybox" ] || die "the package busybox-static holds no busybox"
	# This machine's is asked for its applets. Debian's packages of one version have the same.
	theirs=$busybox
	[ -z "$other" ] || theirs=$(find "$(of_guest busybox-static)" -name busybox -type f -path '*bin/*' -print -quit)
	add_file /bin/busybox "$theirs"
	for applet in $("$busybox" --list); do
		add_link "/bin/$applet" busybox
	done
	BUSYBOX=$busybox
}

# add_tool NAME PACKAGE: take the tool of this machine, or else the package's.
add_tool() {
	local file=
	[ -n "$other" ] || file=$(PATH=$PATH:/usr/sbin:/sbin command -v "$1") || file=
	[ -n "$file" ] ||
		file=$(find "$(of_guest "$2")" -name "$1" -type f -path '*sbin/*' -print -quit)
	[ -n "$file" ] || die "the package $2 holds no $1"
	add_binary "/sbin/$1" "$file"
}

add_fs_tools() {
	# Busybox has no applet of this name.
	add_tool mke2fs e2fsprogs
	add_link /sbin/mkfs.ext4 mke2fs
	add_tool mkfs.xfs xfsprogs
	[ ! -e "$kdir/fs/btrfs/btrfs.ko" ] || add_tool mkfs.btrfs btrfs-progs
	add_tool dmsetup dmsetup
	# The swapon of busybox does not know priorities.
	add_tool swapon mount
}

add_net_tools() {
	add_tool tc iproute2
	add_tool swapon mount
}

# The modules are in one folder, without debug information, and with the modules.dep that modprobe
# reads. Filesystems are left out unless they are wanted: they would be half of the image, in every
# guest's memory.
add_kernel_modules() {
	local stage=$work/modules list ko strip stamp
	list=$work/modules.list
	sed 's/\.o$/.ko/' "$kdir/modules.order" >"$list" 2>/dev/null || : >"$list"
	# The strip of binutils only knows this machine's architecture.
	strip=$({ [ -z "$other" ] && command -v strip; } || compgen -c llvm-strip | awk 'NR == 1' | grep .) ||
		die "neither strip nor llvm-strip is here"
	stamp="$kdir $release $(cd "$kdir" && xargs -r stat -c '%n %s %Y' <"$list" | sha256sum)"
	if [ "$(cat "$stage/stamp" 2>/dev/null)" != "$stamp" ]; then
		rm -rf "$stage"
		mkdir -p "$stage/lib/modules/$release"
		while read -r ko; do
			"$strip" --strip-debug -o "$stage/lib/modules/$release/$(basename "$ko")" "$kdir/$ko"
		done <"$list"
		"$BUSYBOX" depmod -b "$stage" "$release" || die "depmod failed for $stage"
		echo "$stamp" >"$stage/stamp"
	fi
	for ko in "$stage/lib/modules/$release"/*; do
		[ -e "$ko" ] || continue
		[ -n "$fs" ] || ! grep -q "^fs/.*/$(basename "$ko")\$" "$list" ||
			grep -q "^fs/configfs/$(basename "$ko")\$" "$list" || continue
		add_file "/lib/modules/$release/$(basename "$ko")" "$ko" 0644
	done
}

# If a kernel has drivers in modules (scripts/build/debian.sh), PID 1 loads these, and the kernel
# asks for others.
add_loads() {
	[ -e "$kdir/.rwb-loads" ] || return 0
	add_file /etc/modules "$kdir/.rwb-loads" 0644
	add_link /sbin/modprobe /bin/busybox
}

add_ours() {
	local file
	for file in "$OUT/module/$variant"/*.ko; do
		[ ! -e "$file" ] || add_file "/lib/modules/$(basename "$file")" "$file" 0644
	done
	[ ! -x "$GUEST/bin/reclaimwb" ] || add_binary /bin/reclaimwb "$GUEST/bin/reclaimwb"
}

# The kernel's own reader of delay accounting, if it builds. One test needs it.
add_getdelays() {
	local source=$ksrc/tools/accounting/getdelays.c tool=$work/getdelays
	[ -f "$source" ] || return 0
	if [ ! -x "$tool" ] || [ "$source" -nt "$tool" ]; then
		$GUEST_CC -O2 -static -I "$ksrc/tools/include/uapi" -o "$tool.tmp" "$source" 2>"$tool.log" ||
			{ say "getdelays does not build (see $tool.log): its test will skip"; return 0; }
		mv "$tool.tmp" "$tool"
	fi
	add_binary /bin/getdelays "$tool"
}

add_tests() {
	local file ktap=$ksrc/tools/testing/selftests/kselftest/ktap_helpers.sh
	while read -r file; do
		add_file "/tests/$file" "$TOP/tests/$file" "0$(stat -c %a "$TOP/tests/$file")"
	done < <(cd "$TOP/tests" && find . -type f ! -path './src/*' ! -path './kmod/*' ! -path './host/*' ! -name '.*' ! -name '*.md' ! -name Makefile -printf '%P\n' | sort)
	for file in "$GUEST"/tests/bin/*; do
		[ ! -x "$file" ] || add_binary "/tests/bin/$(basename "$file")" "$file"
	done
	add_file /tests/console-badness.txt "$TOP/qemu/console-badness.txt" 0644
	[ ! -f "$ktap" ] || add_file /tests/ktap_helpers.sh "$ktap" 0644
}

# The key is each line of the list, with its file's size and time. The files are older than the
# list.
key() {
	awk '$1 == "file" { print $3 }' "$spec" | tr '\n' '\0' | xargs -0r stat -L -c '%n %s %Y %Z'
	cat "$spec"
}

build() {
	local image=$work/initramfs$with.cpio gen=$kdir/usr/gen_init_cpio new
	mkdir -p "$work"
	: >"$spec"
	add_dir /dev
	add_dir /etc
	add_dir /root
	# PID 1 gets its first three descriptors from this one, before devtmpfs is there.
	echo 'nod /dev/console 0600 0 0 c 5 1' >>"$spec"
	add_link /lib64 lib
	build_init
	add_busybox
	add_tool nbd-client nbd-client
	[ -z "$fs" ] || add_fs_tools
	[ -z "$net" ] || add_net_tools
	add_kernel_modules
	add_loads
	add_ours
	add_getdelays
	add_tests
	new=$(key | sha256sum)
	if [ ! -f "$image" ] || [ "$new" != "$(cat "$work/key$with" 2>/dev/null)" ]; then
		if [ ! -x "$gen" ]; then
			gen=$OUT/initramfs/gen_init_cpio
			${CC:-cc} -O2 -o "$gen" "$ksrc/usr/gen_init_cpio.c" ||
				die "neither $kdir/usr/gen_init_cpio nor its source is here"
		fi
		"$gen" "$spec" >"$image.new" || die "gen_init_cpio failed on $spec"
		mv "$image.new" "$image"
		mv "$spec" "$work/spec$with"
		echo "$new" >"$work/key$with"
	fi
	rm -f "$spec"
	echo "$image"
}

mkdir -p "$OUT/initramfs"
exec {lock}>"$OUT/initramfs/.lock"
flock "$lock"
build

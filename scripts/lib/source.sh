# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those who source it
# The kernel source: Debian's linux-source package with our patches, or the
# user's KSRC. Sourced after lib.sh.

KERNEL=${KERNEL:-7.3}
SOURCE_SUITES=(trixie-backports sid)
PATCHES=$TOP/qemu/patches

# source_package: unpack Debian's package, and print its directory. If the version is no longer
# offered, take the newest one with the same major version.
source_package() {
	local suite conf newest
	[ ! -d "$RWB_CACHE/deb/linux-source-$KERNEL" ] || { deb_extract "linux-source-$KERNEL"; return; }
	for suite in "${SOURCE_SUITES[@]}"; do
		conf=$(apt_state "$suite") || exit 1
		if [ -n "$(deb_versions "$conf" "linux-source-$KERNEL" | head -n1)" ]; then
			deb_extract "linux-source-$KERNEL" "$suite"
			return
		fi
	done
	for suite in "${SOURCE_SUITES[@]}"; do
		conf=$(apt_state "$suite") || exit 1
		newest=$(apt-cache -c "$conf" pkgnames "linux-source-${KERNEL%%.*}." | sort -V | tail -n1)
		if [ -n "$newest" ]; then
			say "linux-source-$KERNEL is no longer on offer: taking $newest"
			deb_extract "$newest" "$suite"
			return
		fi
	done
	die "Debian (${SOURCE_SUITES[*]}) offers no linux-source-${KERNEL%%.*}.x: give a source tree with KSRC=dir"
}

# patch_list: print the patches of our series, in order.
patch_list() { find "$PATCHES" -maxdepth 1 -name '[0-9]*.patch' 2>/dev/null | sort; }

# check_ksrc: can a kernel be built from KSRC?
check_ksrc() {
	local dir=$KSRC
	[ -d "$dir" ] || die "KSRC=$dir does not exist"
	[ -f "$dir/scripts/kconfig/merge_config.sh" ] || die "KSRC=$dir is no kernel source tree"
	if [ -e "$dir/.config" ] || [ -d "$dir/include/config" ]; then
		die "KSRC=$dir is not clean (a kernel was built in it): run 'make mrproper' there, or give its build as KDIR="
	fi
}

# find_source: set SRC (where the tree is or will be) and SRC_ID (its identity).
find_source() {
	local version key
	if [ -n "${KSRC:-}" ]; then
		check_ksrc
		SRC=$(realpath "$KSRC")
		SRC_ID=$SRC
		return
	fi
	if [ -n "${print_only:-}" ] && [ ! -d "$RWB_CACHE/deb/linux-source-$KERNEL" ]; then
		die "the kernel source is not fetched yet: make kernel"
	fi
	DEB=$(with_lock source source_package) || exit 1
	version=${DEB##*_}
	version=${version//[^A-Za-z0-9.-]/-}	# nothing that make takes for its own
	key=$(patch_list | xargs -r cat | sha256sum | cut -c1-8)
	SRC=$RWB_CACHE/src/$version-$key
	SRC_ID=$version-$key
}

# get_source: unpack and patch it. The tree gets its name only when it is complete.
get_source() {
	local tmp tarball p
	[ -z "${KSRC:-}" ] && [ ! -d "$SRC" ] || return 0
	tmp=$SRC.tmp
	tarball=$(find "$DEB/usr/src" -name 'linux-source-*.tar.xz' | head -n1)
	[ -n "$tarball" ] || die "no source tarball in $DEB"
	say "unpacking $(basename "$tarball")"
	rm -rf "$tmp"
	mkdir -p "$tmp"
	tar -xJf "$tarball" --strip-components=1 -C "$tmp" || die "cannot unpack $tarball"
	while IFS= read -r p; do
		say "patch $(basename "$p")"
		patch -d "$tmp" -p1 -s -F0 --no-backup-if-mismatch <"$p" >&2 ||
			die "qemu/patches/$(basename "$p") does not apply to ${SRC##*/}"
	done < <(patch_list)
	mv "$tmp" "$SRC"
}

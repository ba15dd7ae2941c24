#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# deps.sh GROUP...: make sure that what a group of commands needs is there.
# Groups: kernel vm arm64 tool check test bench nbd peers host debian deb chroot docs. On Debian-like systems missing packages are
# installed (as root, or by sudo without a password); elsewhere, or where that
# is not allowed, one message lists them. Fast when nothing is missing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
# shellcheck source=../lib/toolchain.sh
. "$TOP/scripts/lib/toolchain.sh"

# GROUP  WHAT TO LOOK FOR (command, file when it has a slash, module of Python)  DEBIAN PACKAGE
# A package behind a `?` is installed where that can be; without it a test is skipped, and says why.
needs() {
	cat <<-'TABLE'
	kernel make                     make
	kernel cc                       gcc
	kernel /usr/include/stdio.h     libc6-dev
	kernel flex                     flex
	kernel bison                    bison
	kernel bc                       bc
	kernel perl                     perl
	kernel patch                    patch
	kernel xz                       xz-utils
	kernel cpio                     cpio
	kernel rsync                    rsync
	kernel gelf.h                   libelf-dev
	kernel openssl/ssl.h            libssl-dev
	kernel ccache                   ccache
	kernel flock                    util-linux
	kernel python3                  python3
	vm     cc                       gcc
	vm     /usr/include/stdio.h     libc6-dev
	vm     cpio                     cpio
	vm     gzip                     gzip
	vm     qemu-system-x86_64       qemu-system-x86
	vm     nbdkit                   nbdkit
	arm64  aarch64-linux-gnu-gcc    gcc-aarch64-linux-gnu
	arm64  /usr/aarch64-linux-gnu/include/stdio.h  libc6-dev-arm64-cross
	arm64  qemu-system-aarch64      qemu-system-arm
	arm64  readelf                  binutils
	tool   cc                       gcc
	tool   /usr/include/stdio.h     libc6-dev
	check  shellcheck               shellcheck
	check  codespell                codespell
	check  perl                     perl
	check  git                      git
	check  mypy                     mypy
	test   cc                       gcc
	test   /usr/include/stdio.h     libc6-dev
	bench  /sbin/mkfs.ext4          e2fsprogs
	bench  python3                  python3
	bench  gnuplot                  gnuplot-nox
	nbd    socat                    socat
	nbd    /sbin/tc                 iproute2
	peers  stress-ng                ?stress-ng
	peers  numa.h                   ?libnuma-dev
	peers  sys/capability.h         ?libcap-dev
	peers  rsync                    rsync
	host   tmux                     tmux
	host   mandoc                   mandoc
	host   chromium                 ?chromium
	host   chromedriver             ?chromium-driver
	host   pdftotext                ?poppler-utils
	host   /usr/lib/python3/dist-packages/selenium  ?python3-selenium
	debian apt-get                  apt
	debian dpkg-deb                 dpkg
	debian xz                       xz-utils
	debian unshare                  util-linux
	debian flock                    util-linux
	debian nm                       binutils
	deb    dpkg-buildpackage        dpkg-dev
	deb    /var/lib/dpkg/info/build-essential.list  build-essential
	deb    dh                       debhelper
	deb    dh_dkms                  dh-dkms
	deb    python3                  python3
	chroot mmdebstrap               mmdebstrap
	chroot lintian                  lintian
	docs   python3                  python3
	docs   python:ensurepip         python3-venv
	TABLE
}

present() {
	case $1 in
	/*)	[ -e "$1" ] ;;
	python:*) python3 -c "import ${1#python:}" 2>/dev/null ;;
	*.h)	[ -e "/usr/include/$1" ] || compgen -G "/usr/include/*-linux-gnu/$1" >/dev/null ;;
	*)	have "$1" ;;
	esac
}

debian_like() { have apt-get && have dpkg-query && [ -f /etc/debian_version ]; }

# as_root COMMAND...: nothing interactive, nothing that would ask.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}
may_install() {
	[ "${RWB_NO_INSTALL:-0}" = 0 ] && debian_like || return 1
	[ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }
}

# installable PACKAGE: the version apt would install, or nothing.
installable() { apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'; }

# Seconds to wait for another's apt. It does not cover each lock that apt takes: for ours,
# with_lock does.
APT_WAIT=DPkg::Lock::Timeout=300

refresh_lists() {
	[ ! -e "${refreshed:-}" ] || return 0
	refreshed=$(mktemp)
	trap 'rm -f "$refreshed"' EXIT
	say "apt-get update"
	as_root apt-get -qq -o "$APT_WAIT" update >"$refreshed" 2>&1 ||
		say "apt-get update: $(grep -m1 '^[EW]:' "$refreshed" || echo failed); going on with the lists there are"
}

install_packages() { with_lock apt apt_install "$@"; }

apt_install() {
	local log
	refresh_lists
	say "installing $*"
	log=$(mktemp)
	as_root apt-get -qq -o "$APT_WAIT" install -y --no-install-recommends "$@" >"$log" 2>&1 ||
		die "apt-get install $* failed: $(grep -m1 '^E:' "$log" || tail -n1 "$log")"
	rm -f "$log"
}

# want PACKAGE WHY: remember it as missing.
missing=() optional=()
want() {
	local have_it
	if [[ $1 = \?* ]]; then
		optional+=("${1#\?}")
		return 0
	fi
	for have_it in "${missing[@]}"; do
		[ "$have_it" != "$1" ] || return 0
	done
	missing+=("$1")
}

# --- what no table line can say: versions and choices

want_llvm() {
	local n
	[ -z "$(llvm_find)" ] || { check_clang; return; }
	for n in 19 22 21 20 18 17; do
		if [ "$n" = 19 ] || [ -n "$(installable "clang-$n")" ]; then
			want "clang-$n"; want "lld-$n"; want "llvm-$n"; want "libclang-$n-dev"
			return
		fi
	done
}

check_clang() {
	local clang version
	clang=$(llvm_find)
	version=$("$clang" -dumpversion)
	version_ge "$version" "$CLANG_MIN" || die "$clang $version is too old, the kernel needs >= $CLANG_MIN"
	[ -n "$(libclang_dir "$clang")" ] || [ -e /usr/lib64/libclang.so ] || want "lib$clang-dev"
}

# rust_packages: Debian 13 has a new enough rustc under its own name, Debian 12
# as the copy it keeps for its browsers.
rust_packages() {
	local version
	version=$(installable rustc)
	if [ -n "$version" ] && version_ge "$version" "$RUSTC_MIN"; then
		echo rustc rust-src cargo rustfmt rust-clippy
		return
	fi
	version=$(installable rustc-web)
	if [ -n "$version" ] && version_ge "$version" "$RUSTC_MIN"; then
		echo rustc-web rust-web-src cargo-web rustfmt-web rust-web-clippy
	fi
}

need_rustc() {
	local version packages pkg
	version=$(rustc_version)
	if [ -z "$version" ]; then
		may_install || { want "rustc (>= $RUSTC_MIN, with rust-src; rustup has it everywhere)"; return; }
		with_lock apt refresh_lists
		packages=$(rust_packages)
		[ -n "$packages" ] || die "no rustc >= $RUSTC_MIN here and none on offer from apt: install it with rustup (with the component rust-src)"
		for pkg in $packages; do want "$pkg"; done
	elif ! version_ge "$version" "$RUSTC_MIN"; then
		die "rustc $version ($(command -v rustc)) is too old, the kernel needs >= $RUSTC_MIN: rustup update, or remove it and run this again"
	fi
}

# After the installation: the source of the standard library, as a rustup
# component, else Debian's package of the same version.
need_rust_src() {
	local version refused
	version=$(rustc_version)
	refused=$RWB_CACHE/tools/no-rust-src-$version
	[ -z "$(rust_lib_src || true)" ] || return 0
	case $version in
	*-nightly* | *-beta* | *-dev*)
		have rustup || die "rustc $version has no matching rust-src: use a released rustc" ;;
	esac
	if have rustup && [ ! -e "$refused" ]; then
		say "rustup component add rust-src"
		timeout 60 rustup component add rust-src >/dev/null 2>&1 || true
		[ -z "$(rust_lib_src || true)" ] || return 0
		mkdir -p "$RWB_CACHE/tools"
		: >"$refused"
	fi
	deb_hint="use another rustc >= $RUSTC_MIN, or set RUST_LIB_SRC="
	deb_extract "rust-src=$version" trixie-backports trixie sid >/dev/null
	[ -n "$(rust_lib_src)" ] || die "Debian's rust-src $version does not hold library/core"
}

bindgen_ok() {
	local version
	version=$(PATH="$RWB_CACHE/tools/bin:$PATH" bindgen --version 2>/dev/null | awk '{ print $2 }')
	[ -n "$version" ] && version_ge "$version" "$BINDGEN_MIN"
}

need_bindgen() {
	local version
	bindgen_ok && return
	version=$(installable bindgen)
	if may_install && ! have bindgen && [ -n "$version" ] && version_ge "$version" "$BINDGEN_MIN"; then
		install_packages bindgen
	elif have cargo; then
		with_lock bindgen build_bindgen
	else
		die "bindgen >= $BINDGEN_MIN is missing, and no cargo to build it: cargo install --locked bindgen-cli@$BINDGEN_PIN"
	fi
	bindgen_ok || die "bindgen $(bindgen --version 2>&1 | head -n1) is too old, the kernel needs >= $BINDGEN_MIN"
}

build_bindgen() {
	local log=$RWB_CACHE/tools/bindgen.log
	! bindgen_ok || return 0
	say "building bindgen $BINDGEN_PIN (once, 1-2 minutes)"
	mkdir -p "$RWB_CACHE/tools"
	CARGO_TARGET_DIR=$RWB_CACHE/tools/bindgen-target cargo install --quiet --locked \
		--root "$RWB_CACHE/tools" "bindgen-cli@$BINDGEN_PIN" >"$log" 2>&1 ||
		die "cargo install bindgen-cli@$BINDGEN_PIN failed: $(grep -m1 '^error' "$log" || tail -n1 "$log")"
	rm -rf "$RWB_CACHE/tools/bindgen-target"
}

need_cargo() {
	have cargo || ! have rustc || want cargo
	have rustc || need_rustc
}

# --- main

[ $# -gt 0 ] || die "usage: deps.sh kernel|vm|arm64|tool|check|test|bench|nbd|peers|host|debian|deb|chroot|docs ..."
for group; do
	case $group in
	kernel | vm | arm64 | tool | check | test | bench | nbd | peers | host | debian | deb | chroot | docs) ;;
	*) die "deps.sh: unknown group '$group' (kernel vm arm64 tool check test bench nbd peers host debian deb chroot docs)" ;;
	esac
	while read -r g probe package; do
		if [ "$g" = "$group" ] && ! present "$probe"; then
			want "$package"
		fi
	done < <(needs)
	case $group in
	kernel) want_llvm; need_rustc; need_cargo ;;
	tool | check) need_cargo ;;
	esac
done

if [ ${#missing[@]} -gt 0 ]; then
	may_install || die "missing: ${missing[*]} (Debian's package names; run as root to have them installed, or: apt-get install ${missing[*]})"
	install_packages "${missing[@]}"
fi
if [ ${#optional[@]} -gt 0 ] && may_install; then
	(install_packages "${optional[@]}") || say "going on without ${optional[*]}: what needs them is skipped"
fi

for group; do
	case $group in
	kernel)
		[ -n "$(llvm_find)" ] || die "clang, ld.lld and llvm-ar >= $CLANG_MIN of one version are missing"
		need_rust_src
		need_bindgen ;;
	esac
done

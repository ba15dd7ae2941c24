# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those who source it
# Where are the compilers, and will they do? This file is sourced after lib.sh.

# The kernel's own minima (scripts/min-tool-version.sh in 7.3), and the bindgen that is fetched if
# the distribution's is older.
RUSTC_MIN=1.85.0
BINDGEN_MIN=0.71.1
BINDGEN_PIN=0.72.1
CLANG_MIN=17

rustc_version() { ! have rustc || rustc --version 2>/dev/null | awk '{ print $2 }'; }

# llvm_find: print the name of the clang to use: the user's LLVM=, or else the first that has its
# linker and binutils beside it.
llvm_find() {
	local suffix
	case ${LLVM:-} in
	-*)	echo "clang$LLVM"; return ;;
	1)	echo clang; return ;;
	esac
	for suffix in -19 -22 -21 -20 -18 -17; do
		if have "clang$suffix" && have "ld.lld$suffix" && have "llvm-ar$suffix"; then
			echo "clang$suffix"
			return
		fi
	done
	have clang && have ld.lld && have llvm-ar && echo clang
}

# llvm_value CLANG: print what the kernel's LLVM= takes.
llvm_value() {
	case $1 in
	clang-*) echo "${1#clang}" ;;
	*) echo 1 ;;
	esac
}

# libclang_dir CLANG: print where its libclang is, which bindgen must load. On a PATH that env.sh
# made, the first program of that name is ccache.
libclang_dir() {
	local path dir
	[ -n "$1" ] || return 1
	while IFS= read -r path; do
		path=$(readlink -f "$path")
		[ "${path##*/}" != ccache ] || continue
		dir=$(cd "${path%/*}/../lib" 2>/dev/null && pwd) || return 1
		compgen -G "$dir/libclang*.so*" >/dev/null && echo "$dir"
		return
	done < <(type -aP "$1")
	return 1
}

# rust_lib_src: print where the source of the standard library of just this rustc is.
rust_lib_src() {
	local version dir
	[ -z "${RUST_LIB_SRC:-}" ] || { echo "$RUST_LIB_SRC"; return; }
	version=$(rustc_version)
	[ -n "$version" ] || return 1
	for dir in "$(rustc --print sysroot)/lib/rustlib/src/rust/library" \
			"/usr/src/rustc-$version/library" \
			"$RWB_CACHE/deb/rust-src=$version/usr/src/rustc-$version/library" \
			"$RWB_CACHE/tools/rust-src-$version/library"; do
		if [ -f "$dir/core/src/lib.rs" ]; then
			echo "$dir"
			return
		fi
	done
	return 1
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rust/shim/contract.awk: C and Rust agree with what it makes of words.h and shim.h. It refuses
# lines that it does not understand, so that the two sides never see different things.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

shim=$TOP/rust/shim
# Both headers are one file here, as the build reads them.
grep -hv '^#include "words.h"' "$shim/words.h" "$shim/shim.h" >"$scratch/shim.h"
mkdir "$scratch/linux"
cat >"$scratch/linux/types.h" <<-'C'
	#include <assert.h>
	#include <stdbool.h>
	#include <stddef.h>
	typedef unsigned int u32;
	typedef int s32;
	typedef unsigned long long u64;
	typedef long long s64;
C

# make_of rust|c FILE: makes what the build would get.
make_of() { awk -v to="$1" -f "$shim/contract.awk" "$2"; }

# in_c FILE [OTHER]: does the compiler agree with what was made of FILE, or of another header?
in_c() {
	make_of c "${2:-$1}" >"$scratch/contract.h" &&
		printf '#include "%s"\n#include "contract.h"\n' "$1" |
		cc -xc -fsyntax-only -I"$scratch" - 2>"$scratch/errors"
}
# in_rust FILE: does rustc agree? The kernel's structures are stubs here.
in_rust() {
	{
		cat <<-'RUST'
			#![no_std]
			#![allow(dead_code, improper_ctypes, non_camel_case_types, unused_macros, unused_imports)]
			use core::ffi::c_void;
			type c_char = u8; type c_int = i32; type c_uint = u32;
			type c_long = isize; type c_ulong = usize;
			mod bindings {
		RUST
		sed -n 's/^struct \([a-z_]*\);$/pub(crate) enum \1 {}/p' "$1"
		echo "}"
		make_of rust "$1" | sed 's/, Zeroable//' || return
	} >"$scratch/contract.rs"
	rustc --edition 2021 --crate-type lib --emit metadata -o "$scratch/contract.rmeta" \
		"$scratch/contract.rs" 2>"$scratch/errors"
}

# changed SED-SCRIPT: changes the headers, which must make a difference.
changed() {
	sed "$1" "$scratch/shim.h" >"$scratch/changed.h"
	! cmp -s "$scratch/shim.h" "$scratch/changed.h"
}

# refused WHY SED-SCRIPT: that change is refused, and the message names the line.
refused() {
	if changed "$2" && ! make_of rust "$scratch/changed.h" >"$scratch/made" 2>"$scratch/errors" &&
			grep -q "changed.h:[0-9]*: contract.awk: $1" "$scratch/errors"; then
		ktap_test_pass "refused: $1"
	else
		sed 's/^/# /' "$scratch/errors"
		ktap_test_fail "refused: $1"
	fi
}

# in_setting COMMAND: prints a sed script for the structure of that name.
in_setting() { echo "/^struct rwb_setting {/,/^}/$1"; }

ktap_print_header
ktap_set_plan 17
holds "C agrees" in_c "$scratch/shim.h"
holds "Rust agrees" in_rust "$scratch/shim.h"
changed "$(in_setting '{/u32 nid;/d; s/u64 dirty;/u32 nid;\n\tu64 dirty;/}')"
holds "C agrees if a field moves" in_c "$scratch/changed.h"
holds "Rust agrees if a field moves" in_rust "$scratch/changed.h"
disagrees() { ! in_c "$@" && grep -q 'static assertion failed' "$scratch/errors"; }
holds "C notices the contract of another header" disagrees "$scratch/changed.h" "$scratch/shim.h"
# An assertion has another offset, as if the structures came from another header.
in_rust_moved() {
	in_rust "$1" && sed -i '0,/\(offset_of!(.*) == \)[0-9]/s//\199/' "$scratch/contract.rs" &&
		! rustc --edition 2021 --crate-type lib --emit metadata -o "$scratch/contract.rmeta" \
			"$scratch/contract.rs" 2>"$scratch/errors" && grep -q 'assertion failed' "$scratch/errors"
}
holds "Rust notices a field that is elsewhere" in_rust_moved "$scratch/shim.h"

refused "a type that has no size here" "$(in_setting 's/u32 nid;/u16 nid;/')"
refused "a type that has no size here" "$(in_setting 's/u32 nid;/u32 nid:3;/')"
refused "a type that has no size here" "$(in_setting 's/^};/} __packed;/')"
refused "a field without a word" "$(in_setting 's/u32 nid;/u32 nodeid;/')"
refused "a size that is not known" "$(in_setting 's/u32 nid;/u32 nid[RWB_NOT];/')"
refused "a line that is not understood" 's/^#define RWB_NR_CAUSES.*/#define RWB_NR_CAUSES (4 * 5)/'
refused "not in order" 's/X(3, "lock")/X(5, "lock")/'
refused "not in order" 's/X(3, write_around,/X(5, write_around,/'
refused "a type that is not known" 's/rwb_sleep_killable(u32 ms)/rwb_sleep_killable(gfp_t ms)/'
refused "a type that is not known" 's/^struct folio;//'
refused "no function" 's/^void rwb_sleep_killable(u32 ms);/extern int rwb_sleep_killable;/'
ktap_finished

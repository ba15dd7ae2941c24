#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# scripts/check/rooms-check.py: no file of the module names a room above its own. Each way to name
# one is noticed, at the line of the name.
# shellcheck disable=SC2016 # $crate is a macro's
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

check=$TOP/scripts/check/rooms-check.py
command -v python3 >/dev/null || skip_all "no python3"

rust=$scratch/rust
mkdir "$rust"
(cd "$TOP/rust" && find . -name '*.rs' -not -path './*/target/*' -print0 | tar --null -T - -cf -) | tar -C "$rust" -xf -

# with FILE LINE...: prints what the check says when these lines are at the end of a file. Their
# numbers count from the first of them.
with() {
	local file=$1 before rc=0
	shift
	before=$(wc -l <"$rust/$file")
	cp "$rust/$file" "$scratch/before"
	printf '%s\n' "$@" >>"$rust/$file"
	"$check" "$rust" >"$scratch/said" 2>&1 || rc=$?
	cp "$scratch/before" "$rust/$file"
	awk -v file="$rust/$file:" -v before="$before" -v rc="$rc" '
		index($0, file) == 1 {
			$0 = substr($0, length(file) + 1)
			$0 = ($0 - before) substr($0, index($0, ":"))
		}
		{ said = said $0 "; " }
		END { print said "exit " rc }' "$scratch/said"
}

# edge LINE ROOM ABOVE: this name is noticed, and nothing else.
edge() { echo "$1: room $2 names room $3, which is above it; exit 1"; }

ktap_print_header
ktap_set_plan 17
holds "no file of the tree names a room above" quiet "$check" "$TOP/rust"
holds "no file of the copy does" quiet "$check" "$rust"

is "a use" "$(with ledgers/tlb.rs 'use crate::probes::stall;')" "$(edge 1 ledgers probes)"
is "a use within braces, by the line of the name" \
	"$(with helper/file/ring.rs 'use crate::{' '    kernel_ext::cell::{' '        peek,' '    },' '    rows,' '};')" "$(edge 5 helper rows)"
is "a use within braces in braces" \
	"$(with settings.rs 'pub(crate) use crate::{words::{self, Kind}, helper::{file, swap::{self, SwapHook as Swap}}};')" \
	"1: room settings names room helper, which is above it; 1: room settings names room helper, which is above it; 1: room settings names room helper, which is above it; exit 1"
is "a use that begins with braces" "$(with words/kind.rs 'use {core::fmt, crate::shim::At};')" "$(edge 1 words shim)"
is "a path" "$(with tables/names.rs 'fn planted() -> u64 {' '    crate::control::parameters::get(0)' '}')" "$(edge 2 tables control)"
is "a path in a macro" "$(with kernel_ext/cell.rs 'macro_rules! planted { () => { $crate::settings::enabled() } }')" "$(edge 1 kernel_ext settings)"
is "a path of a type" "$(with shim/nbd.rs 'fn planted(_: &crate::kernel_ext::fs::Inode<'"'"'_>) {}')" "$(edge 1 shim kernel_ext)"
is "super, out of the room" "$(with probes/net.rs 'use super::super::rows::FORMAT;')" "$(edge 1 probes rows)"
is "super, in the room's own file" "$(with settings.rs 'use super::{entry, words};')" "$(edge 1 settings entry)"
is "super, out of a module within a file" \
	"$(with policy.rs 'mod inner {' '    fn planted() {' '        super::super::tables::planted();' '    }' '}' 'fn planted() { self::log2::bucket(1); }')" \
	"$(edge 3 policy tables)"
is "the crate under another name" "$(with tables/names.rs 'use crate as all;' 'use super as room;')" "$(edge 1 tables reclaimwb_main)"
is "what is in the crate itself" "$(with rows/tlb.rs 'const PLANTED: &str = crate::VERSION;')" "$(edge 1 rows reclaimwb_main)"

# A file may name its own room and rooms below it, and words in comments and strings are no names.
is "what is allowed" \
	"$(with ledgers/tlb.rs '// crate::rows, /* and */ super::super::rows' '/* crate::rows::FORMAT */' 'use super::{cost::Cost, super::words::Kind};' \
		'const PLANTED: (&str, char) = ("crate::rows::FORMAT \"", '"'\"'"');' \
		'fn planted<'"'"'a>(_: &'"'"'a str) -> &'"'"'a str { r#"crate::rows::"# }' 'use crate::{policy, shim::At as rows, kernel_ext};')" "exit 0"

touch "$rust/attic.rs"
is "a file in no room" "$("$check" "$rust")" "$rust/attic.rs:1: in no room"
mkdir "$scratch/empty"
is "no file at all" "$("$check" "$scratch/empty")" "$scratch/empty: no file was found"
ktap_finished

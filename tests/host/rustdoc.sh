#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make doc and make rust-project.json, for the dev kernel, if it is built.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"

[ -n "${KDIR:-}" ] || KDIR=$("$TOP/scripts/build/kernel.sh" --print 2>/dev/null) || skip_all "the dev kernel is not built (make kernel)"
command -v rustdoc >/dev/null || skip_all "no rustdoc beside this rustc"
export KDIR OUT=$scratch/out
unset KERNEL_DOC VARIANT

ktap_print_header
ktap_set_plan 13

# --- rust-project.json
holds "rust-project.json is made" quiet "$TOP/scripts/build/rust-project.sh" "$scratch/project.json"
# project EXPRESSION: prints its value. `ours` is the module's crate, and `names` are its
# dependencies.
project() {
	python3 - "$scratch/project.json" "$1" <<-'PYTHON'
		import json, os, sys
		project = json.load(open(sys.argv[1]))
		crates = project["crates"]
		ours = next(c for c in crates if c["display_name"] == "reclaimwb_main")
		names = {crates[d["crate"]]["display_name"] for d in ours["deps"]}
		print(eval(sys.argv[2]))
	PYTHON
}
is "the module's crate is ours" "$(project 'ours["root_module"]')" "$TOP/rust/reclaimwb_main.rs"
is "it depends on the kernel's" "$(project '{"core", "kernel", "pin_init"} <= names')" True
is "it is built as a module, for this config" "$(project '{"MODULE", "CONFIG_RUST=\"y\""} <= set(ours["cfg"])')" True
is "no file is missing" "$(project 'len([c for c in crates if not os.path.isfile(c["root_module"])])')" 0
refuses "a file that cannot be written" "cannot write $scratch/nosuch/x" "$TOP/scripts/build/rust-project.sh" "$scratch/nosuch/x"

# --- rustdoc
doc=$OUT/doc/reclaimwb
holds "the documentation is made" quiet env KERNEL_DOC=https://docs.example/rust "$TOP/scripts/build/doc.sh"
holds "it has private items" test -f "$doc/struct.ReclaimWb.html" -a -f "$doc/helper/file/ring/struct.Ring.html"
holds "it links to the kernel's documentation" grep -q 'href="https://docs.example/rust/kernel/' "$doc/struct.ReclaimWb.html"
refuses "a KERNEL_DOC that is no URL" "KERNEL_DOC=docs is no URL" env KERNEL_DOC=docs "$TOP/scripts/build/doc.sh"
refuses "a KERNEL_DOC with a blank" "a URL without blanks" env KERNEL_DOC="https://docs example" "$TOP/scripts/build/doc.sh"
# A copy has a link to something that is not there.
mkdir "$scratch/copy"
cp -r "$TOP/Kbuild" "$TOP/rust" "$TOP/scripts" "$scratch/copy/"
# shellcheck disable=SC2016 # Markdown
sed -i '0,/^struct ReclaimWb/s//\/\/\/ See [`NoSuchThing`].\n&/' "$scratch/copy/rust/reclaimwb_main.rs"
"$scratch/copy/scripts/build/doc.sh" >"$scratch/log" 2>&1
# shellcheck disable=SC2016
is "a broken link is an error" "$(grep -o '^error: unresolved link to `NoSuchThing`' "$scratch/log")" 'error: unresolved link to `NoSuchThing`'
is "doc.sh fails because of it" "$(tail -n1 "$scratch/log")" "error: rustdoc has complaints; see above"

ktap_finished

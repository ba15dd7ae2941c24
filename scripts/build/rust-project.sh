#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rust-project.sh [FILE]: write rust-project.json, or FILE, for rust-analyzer: the module's crate, the
# kernel's crates as the dev kernel (or KDIR=) has them, and their cfgs.
#
# The kernel's generator makes it, and looks for the root of a crate beside the
# Kbuild that names it; ours stands a folder below. So it gets a folder with a link,
# which is resolved afterwards.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

[ $# -le 1 ] || die "usage: rust-project.sh [FILE]"
file=${1:-$TOP/rust-project.json}
kdir=$("$TOP/scripts/build/kernel.sh" --variant "${VARIANT:-base}")
eval "$("$TOP/scripts/lib/env.sh")"
work=$OUT/.rust-project
root=rust/reclaimwb_main.rs
rm -rf "$work"
mkdir -p "$work"
ln -s "$TOP/$root" "$work/reclaimwb_main.rs"
echo 'obj-m := reclaimwb_main.o' >"$work/Kbuild"
if ! make -C "$kdir" M="$work" rust-analyzer >"$work/log" 2>&1 || [ ! -s "$work/rust-project.json" ]; then
	cat "$work/log" >&2
	die "the kernel's generator for rust-analyzer failed in $kdir; see above"
fi
python3 - "$work/rust-project.json" "$work/reclaimwb_main.rs" "$TOP/$root" \
	"$OUT/module/${VARIANT:-base}/rust/shim/contract_generated.rs" >"$work/project.json" <<'PYTHON' ||
import json, os, sys
made, link, root, contract = sys.argv[1:]
project = json.load(open(made))
# Relative, where that folder is its own build folder.
ours = [c for c in project["crates"] if os.path.join(os.path.dirname(link), c["root_module"]) == link]
if len(ours) != 1:
    sys.exit("error: the generator names our crate %d times" % len(ours))
ours[0]["root_module"] = root
# What Kbuild says to every object of a module; and where the Rust side of shim.h is, once built.
ours[0]["cfg"].append("MODULE")
ours[0].setdefault("env", {})["RWB_CONTRACT"] = contract
gone = [c["root_module"] for c in project["crates"] if not os.path.isfile(c["root_module"])]
if gone:
    sys.exit("error: rust-project.json would name files that are not there: " + " ".join(gone))
json.dump(project, sys.stdout, indent=4, sort_keys=True)
PYTHON
	die "rust-project.json is not written"
mv "$work/project.json" "$file" || die "cannot write $file"
rm -rf "$work"
say "$file"

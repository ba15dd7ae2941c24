# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # those who source it set kdir and src
# Compile a file of the dev kernel once more, from a tree that has another version of some files. This
# file is sourced after lib.sh. The caller sets kdir to the build directory of the kernel, and src to
# its source.

# partial_tree DIR PATCH...: put the files that the patches touch into DIR, as they are without the
# patches. The last patch of the series is given first. All headers of mm/ come along: they include
# each other by names without a path, which are looked for beside the header first.
partial_tree() {
	local dir=$1 file patch
	shift
	install -D -m 644 -t "$dir/mm" "$src"/mm/*.h
	while IFS= read -r file; do
		install -D -m 644 "$src/$file" "$dir/$file"
	done < <(sed -n 's#^+++ b/##p' "$@" | sort -u)
	for patch; do
		patch -d "$dir" -p1 -R -s -F0 --no-backup-if-mismatch <"$patch" ||
			die "$(basename "$patch") is not what this kernel was built with"
	done
}

# recompile FILE.o SOURCE OBJECT FLAGS...: run the kernel's own command for FILE.o with another
# source, and what follows the compiler (objtool makes the nops).
recompile() {
	local command file=$1 name=${1##*/}
	command=$(sed -n "s/^savedcmd_${file//\//\\/} := //p" "$kdir/${file%/*}/.$name.cmd")
	[ -n "$command" ] || die "$kdir: how $file was made is not known"
	command=$(sed -E "s# [^ ]*${file%.o}\.c# $2#; s# $file# $3#g; s#-Wp,-MMD,[^ ]*##" <<<"$command")
	# The first -I wins.
	(cd "$kdir" && eval "${command/ -I/ ${*:4} -I}")
}

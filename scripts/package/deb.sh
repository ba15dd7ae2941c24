#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# deb.sh: build the Debian packages reclaimwb-tools and reclaimwb-dkms into out/deb/, and
# print their names. DEBFULLNAME and DEBEMAIL say who made them.
#
# packaging/debian/ is the source of the packaging; it is filled in and used in a folder
# below out/, so that nothing of it lies about in the tree.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

[ $# = 0 ] || die "usage: deb.sh"
[ "$(uname -m)" = x86_64 ] || die "the tool's package is for amd64: use an x86-64 host"
"$TOP/scripts/build/deps.sh" tool deb
"$TOP/scripts/build/tool.sh"

version=$(version)
maintainer="${DEBFULLNAME:-The reclaimwb founders} <${DEBEMAIL:-reclaimwb@localhost.localdomain}>"
# The same packages from the same commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$TOP" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
work=$OUT/deb/build
rm -rf "$OUT/deb"
mkdir -p "$work"
cp -r "$TOP/packaging/debian" "$work/debian"
find "$work/debian" -type f -exec sed -i "s|@VERSION@|$version|g; s|@MAINTAINER@|$maintainer|g" {} +
cat >"$work/debian/changelog" <<-END
	reclaimwb ($version) unstable; urgency=medium

	  * Built from the project's tree; what changed is in its history.

	 -- $maintainer  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
END
"$TOP/scripts/package/crates.py" >"$work/debian/crates.txt" || die "no list of the crates that the tool is linked with"
cp "$TOP/tool/FORMAT.md" "$work/debian/FORMAT.md"

say "building the packages of version $version"
# Not what the caller's make would tell another make.
(cd "$work" && env -u MAKEFLAGS -u MFLAGS RWB_TOP="$TOP" RWB_VERSION="$version" \
	dpkg-buildpackage --build=binary --no-sign) >"$OUT/deb/build.log" 2>&1 || {
	grep -E 'error|Error' "$OUT/deb/build.log" >&2 || tail -n 20 "$OUT/deb/build.log" >&2
	die "the packages could not be built: $OUT/deb/build.log"
}
rm -rf "$work"
ls "$OUT"/deb/*.deb

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# reclaimwb-dkms on Debian 13 with the kernel of backports: installing it makes a module for that
# kernel, which loads on it (in a guest). Another installation finds the metadata of the first.
# `make test-deb` runs this. It needs root and a Debian mirror that has trixie and trixie-backports.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/ktap.sh"
# shellcheck source=../../../scripts/lib/lib.sh
. "$TOP/scripts/lib/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "a chroot needs root"
have mmdebstrap || skip_all "no mmdebstrap"
mirror=$(debian_mirror trixie 2>"$scratch/why") || skip_all "$(sed 's/^error: //' "$scratch/why")"
version=$(version)
dkms=$OUT/deb/reclaimwb-dkms_${version}_all.deb
[ -f "$dkms" ] || skip_all "no packages: make deb"
kdir=$("$TOP/scripts/build/debian.sh" image) || skip_all "Debian's kernel cannot be had here"
release=$(cat "$kdir/include/config/kernel.release")

root=$OUT/deb/debian13
trap 'umount -l "$root/proc" "$root/dev" 2>/dev/null; rm -rf --one-file-system "$root" "$scratch"' EXIT
rm -rf --one-file-system "$root"
say "making a chroot of trixie with $release"
# The chroot has what the package recommends. Without that, Debian's compilers are fetched into the
# cache.
recommended=$(sed -n '/^Package: reclaimwb-dkms/,$ { /^Recommends:/,/^Suggests:/ p }' "$TOP/packaging/debian/control" |
	sed '/^Suggests:/d; s/^Recommends://' | tr -d '\n ' | sed 's/|[^,]*//g')
mmdebstrap --mode=root --variant=apt --format=directory --include="dkms,kmod,linux-headers-$release,$recommended" \
	--keyring="$KEYRING" trixie "$root" "deb [signed-by=$KEYRING] $mirror trixie main" \
	"deb [signed-by=$KEYRING] $mirror trixie-backports main" >"$OUT/deb/debian13.log" 2>&1 ||
	skip_all "no chroot can be made here: $(grep -m1 '^E:' "$OUT/deb/debian13.log" || tail -n1 "$OUT/deb/debian13.log")"
mount -t proc proc "$root/proc" 2>"$scratch/why" || skip_all "no /proc in a chroot here: $(cat "$scratch/why")"
mount --bind /dev "$root/dev" 2>"$scratch/why" || skip_all "no /dev in a chroot here: $(cat "$scratch/why")"
cp /etc/resolv.conf "$root/etc/"

in_root() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" "$@"; }
apt() { in_root apt-get -qq -y --no-install-recommends "$@" >"$scratch/apt" 2>&1; }
status() { in_root dkms status -m reclaimwb -k "$release"; }
module() { find "$root/lib/modules/$release/updates" -name 'reclaimwb.ko*' 2>/dev/null; }

ktap_print_header
ktap_set_plan 10

# A machine that has installed something before has read these lists.
holds "apt reads its lists" apt update
mkdir "$root/packages"
cp "$dkms" "$root/packages/"
start=$SECONDS
holds "it can be installed" apt install "/packages/${dkms##*/}"
ktap_print_msg "that took $((SECONDS - start)) s"
sed 's/^/# /' "$scratch/apt"
holds "DKMS has built it for $release" grep -q "^reclaimwb/$version, $release, x86_64: installed" <(status)
in_root cat "/var/lib/dkms/reclaimwb/$version/build/make.log" 2>/dev/null | head -n 40 | sed 's/^/# | /'
is "there is one module" "$(module | wc -l)" 1
file=$(module)
is "it is for that kernel" "$(in_root modinfo -F vermagic "/${file#"$root"/}" | cut -d' ' -f1)" "$release"
holds "it is signed, with DKMS's key" grep -q 'Module signature appended' "$(module)"
is "no other kernel has one" "$(find "$root/lib/modules" -name 'reclaimwb.ko*' | wc -l)" 1

# --- in a guest with that kernel
guest() {
	export OUT=$OUT/deb/guest
	rm -rf "$OUT"
	mkdir -p "$OUT/module/debian"
	"$TOP/scripts/build/tool.sh" >/dev/null && make -s -C "$TOP/tests" OUT="$OUT" &&
		case $(module) in
		*.ko) cp "$(module)" "$OUT/module/debian/" ;;
		*.xz) xz -dc "$(module)" >"$OUT/module/debian/reclaimwb.ko" ;;
		*) return 1 ;;
		esac &&
		"$TOP/qemu/run-tests.py" --variant debian --out "$OUT/test" module/load.sh
}
holds "it loads on that kernel" quiet guest

# --- once more: the metadata are still there
again() {
	in_root dkms remove -m reclaimwb -v "$version" -k "$release" &&
		in_root dkms install -m reclaimwb -v "$version" -k "$release"
}
start=$SECONDS
holds "it is built again" quiet again
ktap_print_msg "that took $((SECONDS - start)) s"
kept() { [ -n "$(ls "$root/var/cache/reclaimwb" 2>/dev/null)" ]; }
purged() { kept && apt purge reclaimwb-dkms && ! kept; }
holds "after a purge nothing is left in the cache" purged

ktap_finished

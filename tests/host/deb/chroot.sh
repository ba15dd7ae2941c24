#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian packages (scripts/package/deb.sh) are installed in a clean system of this machine's own
# release, removed and purged. `make test-deb` runs this. It needs root and this machine's Debian
# mirror.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/ktap.sh"
# shellcheck source=../../../scripts/lib/lib.sh
. "$TOP/scripts/lib/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "a chroot needs root"
have mmdebstrap || skip_all "no mmdebstrap"
have lintian || skip_all "no lintian"
suite=$(os_codename)
mirror=$(debian_mirror "$suite" 2>"$scratch/why") || skip_all "$(sed 's/^error: //' "$scratch/why")"
version=$(version)
tools=$(ls "$OUT"/deb/reclaimwb-tools_"${version}"_amd64.deb) || skip_all "no packages: make deb"
dkms=$OUT/deb/reclaimwb-dkms_${version}_all.deb

# The chroot has a base system with what our packages depend on, and with what the checks use. It is
# not below /tmp, which may be a mount without devices.
root=$OUT/deb/chroot
trap 'umount "$root/proc" 2>/dev/null; rm -rf --one-file-system "$root" "$scratch"' EXIT
rm -rf --one-file-system "$root"
say "making a chroot of $suite"
mmdebstrap --mode=root --variant=apt --format=directory --include=man-db,dkms,systemd,kmod \
	--keyring="$KEYRING" "$suite" "$root" "deb [signed-by=$KEYRING] $mirror $suite main" >"$OUT/deb/chroot.log" 2>&1 ||
	skip_all "no chroot can be made here: $(grep -m1 '^E:' "$OUT/deb/chroot.log" || tail -n1 "$OUT/deb/chroot.log")"
# DKMS and systemd look at /proc.
mount -t proc proc "$root/proc" 2>"$scratch/why" || skip_all "no /proc in a chroot here: $(cat "$scratch/why")"

in_root() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" "$@"; }
# files: prints all files, except those that dpkg, apt, man-db and ldconfig keep for themselves.
files() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./run -o -path ./packages \
		-o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log \) -prune -o -print | sort)
}
apt() { in_root apt-get -qq -y --no-install-recommends "$@" >"$scratch/apt" 2>&1; }

ktap_print_header
ktap_set_plan 21

# The packages are not uploaded anywhere: there is no bug to close, and nobody to write to.
lints() {
	lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs,bogus-mail-host,bogus-mail-host-in-debian-changelog \
		"$OUT"/deb/*.changes >"$scratch/lint" 2>&1
}
holds "lintian has no complaint" lints
sed 's/^/# /' "$scratch/lint"

files >"$scratch/before"
mkdir "$root/packages"
cp "$tools" "$dkms" "$root/packages/"
holds "they can be installed" apt install "/packages/${tools##*/}" "/packages/${dkms##*/}"
sed 's/^/# /' "$scratch/apt"
holds "the message says why the running kernel gets no module" grep -q '^error: reclaimwb: no kernel build at /lib/modules/' "$scratch/apt"

# --- reclaimwb-tools
is "the tool runs" "$(in_root reclaimwb --version)" "reclaimwb $version"
manual() { in_root man -w "$1" | grep -q "/man1/$1\.1\.gz$"; }
holds "it has a manual" manual reclaimwb
holds "a subcommand has a manual" manual reclaimwb-report
unit=$(find "$root/lib/systemd/system" "$root/usr/lib/systemd/system" -name reclaimwb-record.service 2>/dev/null | head -n1)
holds "the recorder's unit is there" test -n "$unit"
holds "systemd has no complaint about the unit" in_root systemd-analyze verify --man=no "${unit#"$root"}"
is "the unit is not enabled" "$(in_root systemctl is-enabled reclaimwb-record.service)" disabled
holds "nothing else starts it at boot" test -z "$(find "$root/etc/systemd" -lname '*reclaimwb*')"
reads() { in_root modprobe -c >"$scratch/modprobe"; }
holds "modprobe reads the example" reads
holds "the example sets nothing" test -z "$(grep '^options reclaimwb' "$scratch/modprobe")"
holds "the licences of the tool's crates are there" grep -q 'clap' <(zcat -f "$root"/usr/share/doc/reclaimwb-tools/crates.txt*)

# --- reclaimwb-dkms
holds "DKMS knows the module" grep -q "^reclaimwb/$version: added" <(in_root dkms status)
build=$root/lib/modules/9.0.0/build
had=$(find "$root/lib/modules" -maxdepth 0 2>/dev/null)
mkdir -p "$build/include"
printf 'CONFIG_TRACEPOINTS=y\nCONFIG_STACKTRACE=y\nCONFIG_DEBUG_FS=y\nCONFIG_SWAP=y\nCONFIG_BLOCK=y\n# CONFIG_RUST is not set\n' >"$build/.config"
leaves_out() {
	! in_root dkms build -m reclaimwb -v "$version" -k 9.0.0 >"$scratch/dkms" 2>&1 && grep -q BUILD_EXCLUSIVE "$scratch/dkms"
}
holds "DKMS builds no module for a kernel without Rust" leaves_out
sed 's/^/# /' "$scratch/dkms"
says_why() {
	! in_root "/usr/src/reclaimwb-$version/scripts/package/dkms.sh" check /lib/modules/9.0.0/build >"$scratch/why" 2>&1 &&
		grep -q '^error: .* built without CONFIG_RUST$' "$scratch/why"
}
holds "one line says why" says_why
rm -r "$root/lib/modules/9.0.0"
[ -n "$had" ] || rmdir "$root/lib/modules"

# --- remove and purge
echo "options reclaimwb tlb=Y" >>"$root/etc/modprobe.d/reclaimwb.conf"
mkdir -p "$root/var/lib/reclaimwb"
touch "$root/var/lib/reclaimwb/recording"
holds "they can be removed" apt remove reclaimwb-tools reclaimwb-dkms
holds "settings and recordings stay" test -f "$root/etc/modprobe.d/reclaimwb.conf" -a -f "$root/var/lib/reclaimwb/recording"
holds "DKMS forgot the module" test -z "$(in_root dkms status)"
holds "they can be purged" apt purge reclaimwb-tools reclaimwb-dkms
files >"$scratch/after"
diff "$scratch/before" "$scratch/after" | sed 's/^/# /'
holds "nothing is left" cmp -s "$scratch/before" "$scratch/after"

ktap_finished

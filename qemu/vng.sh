#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vng.sh: run test scripts under virtme-ng. The guest's root is this machine's own (read-only,
# through virtiofs or 9p), so that the scripts run from where they are, with the machine's shell and
# tools, not with busybox.
#
#   vng.sh [--variant NAME] [--kdir DIR] [--mem SIZE] [--smp N] [--numa NODES]
#          [--nbd SERVER[:ARG,...]]... [--disk SIZE]... [--run SCRIPT]...
#          [--out DIR] [--append ARGS] [--timeout SECONDS] [--quiet]
#
# The options, what DIR has afterwards, and the exit code are those of vm.sh. Without a SCRIPT it is
# `run-tests.py --with vng`, which runs all. VIRTME_NG=version takes another virtme-ng than the one
# that is known to work.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/lib.sh"

VIRTME_NG=${VIRTME_NG:-1.42}
RC_FAILED=1 RC_NO_VERDICT=2 RC_CANNOT=77
die() { echo "error: $*" >&2; exit $RC_CANNOT; }
usage() { sed -n '3,/^[^#]/{ /^#/s/^# \{0,1\}//p }' "$0" >&2; exit $RC_CANNOT; }

variant=base-vng kdir=${KDIR:-} mem=512M smp=2 numa=1 out='' append='' timeout=300 quiet=no
nbd=() disks=() scripts=() fs=''
while [ $# -gt 0 ]; do
	case $1 in
	--quiet) quiet=yes; shift; continue ;;
	--help | -h) usage ;;
	esac
	[ $# -ge 2 ] || usage
	case $1 in
	--variant | --kdir | --mem | --smp | --numa | --out | --timeout) declare "${1#--}=$2" ;;
	--append) append+=" $2" ;;
	--nic) ;; # it has a card of its own
	--nbd) nbd+=("$2") ;;
	--disk) disks+=("$2") ;;
	--run) scripts+=("$2") ;;
	*) die "vng.sh: unknown option '$1'; vng.sh --help lists them" ;;
	esac
	shift 2
done
[ ${#scripts[@]} -gt 0 ] || exec "$TOP/qemu/run-tests.py" --with vng --variant "$variant"
out=${out:-$OUT/vng/$variant}

# install_vng: install it into a virtual environment of its own, in the cache.
install_vng() {
	venv=$RWB_CACHE/tools/virtme-ng-$VIRTME_NG
	[ ! -x "$venv/bin/vng" ] || return 0
	have python3 || die "virtme-ng needs python3: apt-get install python3 python3-venv"
	say "installing virtme-ng $VIRTME_NG (once)"
	rm -rf "$venv"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install -q "virtme-ng==$VIRTME_NG"; } >"$out/install.log" 2>&1 ||
		die "cannot install virtme-ng $VIRTME_NG: $(tail -n1 "$out/install.log") (python3-venv installed?)"
}

# tool_paths: the guest has none of our /sbin. Print the directories of the tools in the initramfs,
# and of those of their libraries that are not this machine's.
tool_paths() {
	local spec=$OUT/initramfs/$variant/spec${fs:+-fs}
	awk -v cache="$RWB_CACHE/" '$1 == "file" && $2 ~ /^\/sbin\// { sub(/\/[^\/]*$/, "", $3); path = path ":" $3 }
		$1 == "file" && $2 ~ /^\/lib\/lib/ && index($3, cache) == 1 { sub(/\/[^\/]*$/, "", $3); lib = lib ":" $3 }
		END { print substr(path, 2), substr(lib, 2) }' "$spec"
}

# shellcheck disable=SC2317 # the EXIT trap calls it
cleanup() {
	"$TOP/qemu/nbd-server.sh" stop "$out/nbd"
	rm -f "$out"/disk*.img
}

main() {
	mkdir -p "$out"
	out=$(cd "$out" && pwd)
	exec {lock}>"$out/lock"
	flock -n "$lock" || die "another run is going on in $out: give one of them --out DIR"
	install_vng
	[ -n "$kdir" ] || kdir=$("$TOP/scripts/build/kernel.sh" --variant "$variant") || exit $RC_CANNOT
	[ -f "$kdir/arch/x86/boot/bzImage" ] || die "no kernel image in $kdir (arch/x86/boot/bzImage): make kernel VARIANT=$variant"
	[ ${#disks[@]} -eq 0 ] || fs=--fs
	"$TOP/qemu/mkinitramfs.sh" --kdir "$kdir" --variant "$variant" ${fs:+"$fs"} >/dev/null || exit $RC_CANNOT
	accel=$("$TOP/qemu/vm.sh" --kdir "$kdir" --variant "$variant" --accelerator) || exit $RC_CANNOT

	rm -rf "$out"/{console.log,ktap.log,verdict,reason,qemu.log,results,nbd}
	mkdir -p "$out/results"
	trap cleanup EXIT
	trap 'exit $RC_NO_VERDICT' INT TERM HUP

	addresses=''
	for server in "${nbd[@]}"; do
		port=$(RWB_NBD_OWNER=$$ "$TOP/qemu/nbd-server.sh" start "$server" "$out/nbd") || exit $RC_CANNOT
		addresses+="${addresses:+,}${server%%:*}:10.0.2.2:$port"
	done
	read -r tools libs < <(tool_paths)

	# The guest's side sources this file.
	modules=("$OUT/initramfs/$variant/modules/lib/modules"/*)
	cat >"$out/results/env" <<ENV
export PATH=\$PATH:'$tools' LD_LIBRARY_PATH='$libs'
export RWB_VM=virtme-ng RWB_VARIANT='$variant' RWB_NBD='$addresses' RWB_RESULTS='$out/results'
export RWB_MODULE_DIR='$OUT/module/$variant' KTAP_HELPERS='$(readlink -f "$kdir/source")/tools/testing/selftests/kselftest/ktap_helpers.sh'
RWB_RUN='${scripts[*]}'
RWB_BUSYBOX='$(awk '$2 == "/bin/busybox" { print $3 }' "$OUT/initramfs/$variant/spec")'
RWB_KERNEL_MODULES='${modules[0]}'
ENV

	args=(--run "$kdir/arch/x86/boot/bzImage" --skip-modules --disable-microvm --memory "$mem" --cpus "$smp")
	args+=(--network user --no-dhcp --rwdir "$out/results" --verbose)
	if [ "$accel" != kvm ]; then
		args+=(--disable-kvm --qemu-opts="-accel $accel")
		append+=" $("$TOP/qemu/vm.sh" --kdir "$kdir" --variant "$variant" --timing)"
	fi
	append+=" loglevel=5 no5lvl oops=panic panic_on_warn=1"
	[ "$numa" = 1 ] || append+=" numa=fake=$numa"
	for option in $append; do args+=(--append "$option"); done
	for i in "${!disks[@]}"; do
		truncate -s "${disks[$i]}" "$out/disk$i.img" || die "cannot make a disk of size ${disks[$i]}"
		args+=(--qemu-opts="-drive file=$out/disk$i.img,if=none,id=disk$i,format=raw,cache=unsafe,discard=unmap")
		args+=(--qemu-opts="-device virtio-blk-pci,drive=disk$i,serial=disk$i")
	done
	args+=(--exec "sh $TOP/qemu/vng-guest.sh $out/results/env")

	# The KTAP comes back through the shared directory. What vng says is the console.
	: >"$out/results/ktap.log"
	ln -sf results/ktap.log "$out/ktap.log"
	rc=0
	PATH=$venv/bin:$PATH setpriv --pdeathsig TERM timeout --kill-after=5 "$timeout" vng "${args[@]}" \
		</dev/null >"$out/console.log" 2>&1 {lock}>&- || rc=$?
	[ "$quiet" = yes ] || cat "$out/ktap.log"
	mv "$out/results/verdict" "$out/verdict" 2>/dev/null || true

	case $(cat "$out/verdict" 2>/dev/null) in
	'done 0') exit 0 ;;
	'done '*) exit $RC_FAILED ;;
	esac
	reason=$(tr -d '\r' <"$out/console.log" | grep -am1 -o 'Kernel panic.*') ||
		reason="vng ended with $rc: $(tr -d '\r' <"$out/console.log" | grep -av '^$' | tail -n1)"
	[ $rc != 124 ] && [ $rc != 137 ] || reason="not done after $timeout s"
	echo "$reason" >"$out/reason"
	tr -d '\r' <"$out/console.log" | tail -n 40 >&2
	echo "error: no verdict from the guest: $reason" >&2
	exit $RC_NO_VERDICT
}

# The script is read to its end before this runs, so that it may be edited meanwhile.
main

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kill-test.sh [--variant NAME]: the QEMU of a guest is killed (SIGKILL) while files are synced and
# write-around writes beside that. A second guest with the same disk must find all that was synced.
# It is done on ext4 and on XFS. The output is KTAP.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/lib.sh"
# shellcheck source=result.sh
. "$TOP/qemu/result.sh"

variant=base
case ${1:-} in
--variant) variant=${2:?} ;;
?*) die "usage: kill-test.sh [--variant NAME]" ;;
esac
dir=$OUT/kill-test/$variant
LEAST=40 # syncs seen before the kill
SECONDS_TO_SYNC=240
vm=''
trap '[ -z "$vm" ] || kill "$vm" 2>/dev/null || true' EXIT

# synced LOG: print the latest generation of each file, as FILE.GENERATION/... The last line may
# have been cut off.
synced() {
	grep -a '^filehog: synced file [0-9]* generation [0-9]*$' "$1" 2>/dev/null |
		awk '{ gen[$4] = $6 } END { for (f in gen) { printf "%s%s.%s", sep, f, gen[f]; sep = "/" } }'
}

enough() { [ -e "$1" ] && [ "$(grep -ac '^filehog: synced' "$1")" -ge "$LEAST" ]; }

# killed FS: boot a guest, wait for its syncs, and kill it. Sets `names`.
killed() {
	local fs=$1 deadline=$((SECONDS + SECONDS_TO_SYNC)) log pid
	log=$dir/$fs-write/ktap.log
	rm -rf "${dir:?}/$fs-write"
	truncate -s 0 "$dir/$fs.img"
	truncate -s 1G "$dir/$fs.img"
	"$TOP/qemu/vm.sh" --quiet --variant "$variant" --disk "$dir/$fs.img" --out "$dir/$fs-write" \
		--append "rwb.fs=$fs" --run kill/write.sh >"$dir/$fs-write.log" 2>&1 &
	vm=$!
	while ! enough "$log"; do
		if [ $SECONDS -gt $deadline ] || ! kill -0 "$vm" 2>/dev/null; then
			sed 's/^/# /' "$log" 2>/dev/null | tail -n 20
			return 1
		fi
		sleep 0.1
	done
	pid=$(cat "$dir/$fs-write/qemu.pid")
	kill -KILL "$pid"
	vm_rc=0
	wait "$vm" || vm_rc=$?
	vm=''
	names=$(synced "$log")
	[ -n "$names" ]
}

# It must have died of that kill: there is no verdict (2), and no panic.
died() {
	[ "$vm_rc" = 2 ] && [ ! -s "$dir/$1-write/verdict" ] && ! grep -qa 'Kernel panic' "$dir/$1-write/console.log"
}

verified() {
	local fs=$1 rc=0
	"$TOP/qemu/vm.sh" --quiet --variant "$variant" --disk "$dir/$fs.img" --out "$dir/$fs-verify" \
		--append "rwb.fs=$fs rwb.synced=$names" --run kill/verify.sh >"$dir/$fs-verify.log" 2>&1 || rc=$?
	[ $rc = 0 ] || sed 's/^/# /' "$dir/$fs-verify/ktap.log"
	[ $rc = 0 ] && grep -q '^ok .* has generation' "$dir/$fs-verify/ktap.log"
}

kdir=$("$TOP/scripts/build/kernel.sh" --variant "$variant")
if ! grep -q ' register_reclaim_writeback$' "$kdir/System.map"; then
	echo "1..0 # SKIP this kernel has no register_reclaim_writeback (patch 1)"
	exit 4
fi
mkdir -p "$dir"
echo "TAP version 13"
echo "1..6"
for fs in ext4 xfs; do
	names='' vm_rc=''
	result "$fs: files are synced, and the guest is killed" killed $fs
	result "$fs: it ended because of that" died $fs
	echo "# $fs: synced ${names:-nothing}"
	result "$fs: all that was synced is there" verified $fs
	rm -f "$dir/$fs.img"
done
[ $failures = 0 ]

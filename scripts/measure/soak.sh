#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# soak.sh [HOURS]: run random loads against random events for this long (1 hour, or a fraction), in
# one guest. Parameters change, the module goes and comes, devices stop and fail, and cgroups, CPUs
# and memory come and go (tests/soak/soak.sh). Prints the seed and how often each thing happened.
# The exit code is 0 if nothing was wrong. OUT/soak/SEED holds the guest's logs.
#
#   SEED=N          make the same choices again (their timing may differ)
#   VARIANT=debug   the kernel; debug has lockdep, KASAN and kmemleak. Memory comes and goes only on
#                   a kernel with `+hotplug`: base+hotplug, debug+hotplug
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

HOURS=${1:-1} SEED=${SEED:-$((RANDOM * 32768 + RANDOM + 1))} VARIANT=${VARIANT:-base}
[[ $HOURS =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "HOURS=$HOURS: give a number of hours, such as 4 or 0.1"
[[ $SEED =~ ^[0-9]+$ ]] || die "SEED=$SEED: give a number"

"$TOP/scripts/lib/typed.sh" kernel "$VARIANT"
"$TOP/scripts/build/deps.sh" kernel vm test nbd
seconds=$(awk -v h="$HOURS" 'BEGIN { printf "%d\n", h * 3600 }')
[ "$seconds" -gt 0 ] || die "HOURS=$HOURS: that is less than a second"
"$TOP/scripts/build/module.sh" --variant "$VARIANT" --plain >/dev/null
make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2
script=soak/soak.sh
args=()
for server in $(need $script nbd); do args+=(--nbd "$server"); done
for disk in $(need $script disk); do args+=(--disk "$disk"); done
append="rwb.seconds=$seconds rwb.seed=$SEED rwb.nosync=1 rwb.timeout=$((seconds + 900))"
# The log of hours must still have the line that marks the start, or the console does not count.
append+=" log_buf_len=4M"
case $VARIANT in
base*) args+=(--mem "$(need $script mem)") ;;
*) append+=" kmemleak=on" ;;
esac
# Without this, hardly any block of memory is free of the kernel's own pages.
case $VARIANT in *+hotplug*) append+=" movablecore=38%" ;; esac
dir=$OUT/soak/$SEED
rm -rf "$dir"
mkdir -p "$dir"
say "soak: seed $SEED, $seconds s on $VARIANT; logs in $dir"
rc=0
"$TOP/qemu/vm.sh" --variant "$VARIANT" --out "$dir" --net --timeout $((seconds + 1200)) \
	"${args[@]}" --run $script --append "$append" || rc=$?
echo "soak: seed $SEED, $(sed -n 's/^# count: //p' "$dir/ktap.log" 2>/dev/null | xargs | sed 's/ \([a-zA-Z_]* \)/, \1/g')"
if [ $rc = 0 ]; then
	echo "soak: nothing was wrong; SEED=$SEED"
else
	echo "soak: FAILED ($rc); again: make soak HOURS=$HOURS SEED=$SEED VARIANT=$VARIANT"
fi
exit $rc

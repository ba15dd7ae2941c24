#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One guest of scripts/measure/peers.sh: runs other people's tests of memory management, from the
# root on disk0, and says of each what became of it:
#   # peer: PART|PROGRAM|passed, skipped or failed (exit code)|ok|not ok|skipped
# RWB_PART says which, RWB_SIDE whether with the module (stock, reclaimwb). That one of them fails
# is no failure here: it may on both sides. What must hold is that the guest survives, that nothing
# is wrong on the console, and that the helper had something to do.
. "$(dirname "$0")/../lib/test.sh"

PART=${RWB_PART:-mm} SIDE=${RWB_SIDE:-stock}
ROOT=$(virtio_disk disk0) || skip_all "no disk with the programs: scripts/measure/peers.sh makes one"
SWAP=$(virtio_disk disk1) SCRATCH=$(virtio_disk disk2)
[ -n "$SCRATCH" ] || skip_all "no disks to swap to and to write to"
start_test plan-at-end "$PART, $SIDE"
R=$TMP/root
# Longer than one takes on a slow machine.
EACH_S=${RWB_EACH:-300}
echo -1000 > /proc/$$/oom_score_adj
cg_mount || bail "no cgroup v2"
echo +memory > "$CG/cgroup.subtree_control" || bail "no memory controller"
mkdir "$R"
mount -t ext4 -o ro "$ROOT" "$R" || bail "mount $ROOT"
undo "umount $R"
mkfs.ext4 -q -F "$SCRATCH" > "$TMP/mkfs" 2>&1 || bail "mkfs $SCRATCH"
mount -t ext4 "$SCRATCH" "$R/tmp" || bail "mount $SCRATCH"
undo "umount $R/tmp"
kernel_in "$R"
chmod 1777 "$R/tmp"
swap_on "$SWAP"
MARK_OUT=$(vmstat pswpout)
if [ "$SIDE" != stock ]; then
	try_load reclaimwb handoff=always write_around=Y || bail "insmod: $(cat "$TMP/insmod")"
	[ "$(around state) $(handoff state)" = "on on" ] || bail "the helper is not on"
fi

# tally FILE: results that it says, in TAP at any depth, or in LTP's words.
tally()
{
	awk '
		/^[ #]*(not )?ok [0-9]/ {
			if (/# *SKIP/) skip++; else if (/not ok/ && !/# XFAIL/) bad++; else ok++
		}
		/ TPASS: /{ ok++ } / (TFAIL|TBROK): / { bad++ } / TCONF: / { skip++ }
		END { printf "%d|%d|%d\n", ok, bad, skip }' "$1"
}

# word RC: what an exit code says in that part.
word()
{
	case $PART:$1 in
	*:0) echo passed ;;
	ltp:32 | stress:3 | stress:4 | mm:4 | cgroup:4) echo skipped ;;
	*:124 | *:137 | *:143) echo "no end" ;;
	*) echo "failed ($1)" ;;
	esac
}

# runs PROGRAM ARGUMENTS...: in the other root, in /tmp there.
runs()
{
	local name="$*" rc options=''

	[ "$PART" != stress ] || options="-t 30 --temp-path /tmp --oomable --no-rand-seed --metrics-brief"
	rm -rf "$R"/tmp/*
	# Its tests are of zswap alone; the others swap to the disk.
	case $1 in
	*zswap*) echo Y > /sys/module/zswap/parameters/enabled ;;
	*) echo N > /sys/module/zswap/parameters/enabled ;;
	esac
	# shellcheck disable=SC2016,SC2086 # that shell's own; words
	timeout -k 5 "$EACH_S" chroot "$R" /bin/sh -c 'echo 0 > /proc/$$/oom_score_adj
		export PATH=/bin:/sbin TMPDIR=/tmp LTP_TIMEOUT_MUL=4 LTP_COLORIZE_OUTPUT=0
		cd /tmp && part=$0 && program=$1 && shift && exec "/peers/$part/$program" "$@"' \
		"$PART" "$@" $options > "$TMP/said" 2>&1
	rc=$?
	say "peer: $PART|$name|$(word $rc)|$(tally "$TMP/said")"
	grep -E '^[ #]*not ok |TFAIL|TBROK|: fail:' "$TMP/said" | head -n 20 | while read -r line; do say "    $line"; done
	[ -z "${RWB_RESULTS:-}" ] || tail -n 200 "$TMP/said" > "$RWB_RESULTS/$(echo "$name" | tr -c 'a-zA-Z0-9\n' _)"
	# What it left behind is not to be the next one's.
	echo 3 > /proc/sys/vm/drop_caches
	grep -q "^$SWAP " /proc/swaps || swapon "$SWAP" || say "swap is gone"
	echo +memory > "$CG/cgroup.subtree_control" 2> /dev/null
}

count=0
while IFS='|' read -r part program; do
	[ "$part" = "$PART" ] || continue
	count=$((count + 1))
	# shellcheck disable=SC2086 # words
	runs $program < /dev/null
done < "$R/peers/list"
check_num "programs were run" $count -gt 0
section "programs" 1
if [ "$SIDE" = stock ]; then
	skip_checks 3 "no module on this side"
else
	check "write-around ends" around_quiet
	check "handoff ends" handoff_quiet
	taken=$(handed '[a-z_]*\.taken\.requests') met=$(around met.folios)
	say "helper: $PART: $taken requests handed off, $(($(vmstat pswpout) - MARK_OUT)) pages swapped out; $met dirty folios met"
	check_num "the helper had something to do" $((taken + met)) -gt 0
fi
section "the helper" 3
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A filesystem on a device whose server is a process of this machine, as in nbd/self.sh. Tasks make more
# pages dirty than memory holds, so reclaim meets dirty pages, and the server has to receive and
# store what write-around writes. The load ends, and every page is right. There is no swap.
# disk: 512M
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

# Of the load of the others there is nothing here.
NBD_CHECKS=0 EACH=24 FIRST=0
need_no_swap
need_disk disk0
need_fs ext4
kmod nbd || skip_all "no nbd in this kernel"
nbd_start 5 "a filesystem on a server of this machine"
disk_attach disk0
STORE=$DISK
self_attach -c -d
fs_new ext4 "$NBD_DEV"
keeps_pages
leave_mib "$LEAVE"
"$BIN/lowwater" > "$TMP/lowwater" 2>&1 &
LOWWATER=$!
undo "kill $LOWWATER 2> /dev/null"
KILLS=$(vmstat oom_kill) BEGAN=$(uptime_ms) STORED=$(written_sectors "$STORE")
vmscan=$(vmstat nr_vmscan_write)
: > "$TMP/load.nbd"
(
	# shellcheck disable=SC2016 # that shell's own
	sh -c 'echo 0 > /proc/$$/oom_score_adj
		[ ! -e "$0/cgroup.procs" ] || echo $$ > "$0/cgroup.procs"
		exec "$@"' /sys/fs/cgroup "$BIN/filehog" write -n $TASKS -p $((EACH * 256)) -o random \
		-s $SEED "$MNT/file" > "$TMP/filehog" 2>&1
	rc=$?
	uptime_ms > "$TMP/load.ended"
	echo $rc > "$TMP/load.rc"
) &
loop_until $((DEADLINE * 10)) load_over || OUTCOME=hang

stored_since()
{
	[ "$(written_sectors "$STORE")" -gt "$STORED" ]
}

kill "$LOWWATER" 2> /dev/null
loop_until 50 test -s "$TMP/lowwater"
STOOD=0 SWAPPED=$(swapped) MOVED=$(swap_io)
if [ "${OUTCOME:-}" = hang ]; then
	report_cell "$(nearest)"
	hangs filehog "the load did not end in $DEADLINE s"
fi
# The ballast goes first: what follows is about the pages.
drop_ballast
fs_cold "$NBD_DEV"
if [ "$(cat "$TMP/load.rc")" != 0 ]; then
	OUTCOME=failed
	[ "$(vmstat oom_kill)" = "$KILLS" ] || OUTCOME=oom
	show_file "$TMP/filehog"
elif proves verify -n $TASKS -p $((EACH * 256)) -s $SEED "$MNT/file"; then
	OUTCOME=survived
	echo "swap.proven $((TASKS * EACH * 256))" > "$TMP/load.nbd"
	echo "verified $((TASKS * EACH * 256)) touches, 0 bad" >> "$TMP/load.nbd"
else
	OUTCOME=wrong
fi
say "outcome: $OUTCOME; reclaim itself wrote $(($(vmstat nr_vmscan_write) - vmscan)) pages"
report_cell "$(nearest)"
check "the load: $OUTCOME, of what may become of it: $EXPECT" is_one_of "$OUTCOME" "$EXPECT"
check "its server stored it" stored_since
if [ "$SIDE" = helper ]; then
	check_num "reclaim met dirty folios" "$(around met.folios)" -gt 0
else
	skip_checks 1 "write-around: not on this side"
fi
check_eq "the filesystem had nothing to say" "$(fs_complaints)" clean
check "it can be unmounted" fs_umount "$NBD_DEV"
finish

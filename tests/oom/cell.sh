#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One cell of the OOM matrix (scripts/measure/oom-matrix.sh): tasks use more memory than there is,
# but less than memory and swap together. The host asks for the rest by RWB_*:
#   RWB_SIDE    stock (no module) or reclaimwb (handoff=always)
#   RWB_TASKS   tasks
#   RWB_SWAP    size of the swap area, in MiB
#   RWB_LOCKED  per cent of the memory that is locked away first
#   RWB_MEMCG   per cent of what the tasks want that their cgroup may have; 0: no limit
# The number of kills and the time that it took go to $RWB_RESULTS/cell as `key value`.

# shellcheck source=../lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

RESULTS=${RWB_RESULTS:-.}
NBD=$(echo "${RWB_NBD:-}" | cut -d: -f1)
need_nbd "$NBD"
[ "${RWB_MEMCG:-0}" = 0 ] || need_memcg
start_test 2 "OOM matrix; $RWB_SIDE"
nbd_attach "$NBD"
mkswap "$NBD_DEV" $((RWB_SWAP * 1024)) > /dev/null 2>&1 || bail "mkswap"
swapon "$NBD_DEV" || bail "swapon"
undo "swapoff $NBD_DEV"
[ "$RWB_SIDE" = stock ] || load_handoff

free=$(mem_mib MemAvailable)
[ "${RWB_LOCKED:-0}" = 0 ] || ballast $((free * RWB_LOCKED / 100))
# Nine tenths of memory and swap: this much can be had.
want=$((($(mem_mib MemAvailable) + RWB_SWAP) * 9 / 10))
each=$((want / RWB_TASKS))
CG_OF=
if [ "${RWB_MEMCG:-0}" != 0 ]; then
	cg_make rwb-oom
	CG_OF=$CG/rwb-oom
	echo "$((want * RWB_MEMCG / 100))M" > "$CG_OF/memory.max"
fi

kills=$(vmstat oom_kill)
at=$(cut -d. -f1 /proc/uptime)
say "the load begins"
${CG_OF:+in_cg "$CG_OF"} "$BIN/swapload" -n "$RWB_TASKS" -m "$each" -T 5 > "$TMP/load.cell" 2>&1
rc=$?
show_load cell
kills=$(($(vmstat oom_kill) - kills))

none_wrong()
{
	grep -q ' touches, 0 bad' "$TMP/load.cell"
}

ended()
{
	[ $rc = 0 ] || [ "$kills" != 0 ]
}

# A kill is a result. With a wrong page there is no result, and the host says so.
check "no page was wrong" none_wrong
check "it ended, or was killed" ended
! none_wrong || ! ended || {
	echo "kills $kills"
	echo "seconds $(($(cut -d. -f1 /proc/uptime) - at))"
	echo "mib $((each * RWB_TASKS))"
	[ "$RWB_SIDE" = stock ] || echo "handed $(handed '[a-z_]*\.taken\.requests')"
	awk '/^swap\./ { print }' "$TMP/load.cell"
} > "$RESULTS/cell"

finish

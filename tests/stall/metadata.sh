#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Inode tables and bitmaps of ext4 lie in the page cache of its device. Where memory is
# short reclaim evicts them, and the next look at the files reads them again: the ledger
# tells how many, of which device. Without reclaim it tells of none.
# guards: rust/ledgers/metadata.rs rust/probes/metadata.rs rust/rows/metadata.rs rust/shim/probes_ext4.c rust/shim/probes_cache.c
# faults: books
# disk: 512M
# mem: 384M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_disk disk0
need_fs ext4
FILES=$(scaled 8000)
M=$(scaled 128)
start_test $((24 + UNEXPLAINED_CHECKS)) "metadata of filesystems"
disk_attach disk0
DEVICE=$(cat "/sys/class/block/${DISK##*/}/dev")
# shellcheck disable=SC2034 # for fs_make
FS_BLOCK=1024
fs_make ext4 "$DISK"
fs_mount "$DISK"
zram_swap_on 512

# look: at each file's inode.
look()
{
	[ "$(find "$MNT/d" -type f -size -1 | wc -l)" = "$FILES" ]
}

# So many pages hold their inodes.
INODE_PAGES=$((FILES / 16))
evicted_much()
{
	enough_stalls && [ "$(of_device 'evicted\.pages')" -ge $((INODE_PAGES / 2)) ]
}

evicted_more()
{
	[ "$(of_device 'evicted\.pages')" -gt "$evicted" ]
}

# bitmap_again: until ext4 has read one again; memory is wanted once more if need be.
bitmap_again()
{
	for _ in 1 2 3 4 5 6 7 8; do
		rm -f "$MNT/new1" "$MNT/new2"
		"$BIN/benchload" fill "$MNT/new2" 20 || return 1
		sync
		[ "$(of_device 'bitmaps\.[a-z]*\.reread')" = 0 ] || return 0
		evicted=$(($(of_device 'evicted\.pages') + INODE_PAGES / 8))
		press_until 60 evicted_more -c text -m $((M + M / 2)) || return 1
	done
	return 1
}

of_device()
{
	local n

	n=$(sum "${2:-$LEDGER/metadata}" "device\\.$DEVICE\\.$1")
	[ "$n" != missing ] || n=0
	echo "$n"
}

check "there are $FILES files" empty_files "$MNT/d" "$FILES"
load_mod write_around=N handoff=never
check_eq "the ledger is off unless asked for" "$(row metadata state)" off
echo Y > "$PARAMS/metadata"
check_eq "asked for, it is on" "$(row metadata state)" on

fs_cold "$DISK"
check "they are looked at" look
check "and again" look
check "there is a new file" "$BIN/benchload" fill "$MNT/new1" 20
sync
check_eq "nothing was evicted" "$(of_device 'evicted\.pages')" 0
check_eq "nor read again" "$(of_device 'reread\.pages')" 0
check_num "ext4 read bitmaps of blocks" "$(of_device 'bitmaps\.blocks\.reads')" -gt 0
check_eq "none of them for the second time" "$(of_device 'bitmaps\.[a-z]*\.reread')" 0
# What is dropped by hand is no reclaim.
fs_cold "$DISK"
check "they are looked at once it was all dropped by hand" look
check_eq "that was no eviction" "$(of_device 'evicted\.pages')" 0

# The page cache of a block device has its number for that of an inode.
EVENT=filemap/mm_filemap_delete_from_page_cache
trace_start
echo "i_ino == $((${DEVICE%:*} << 20 | ${DEVICE#*:}))" > "$INSTANCE/events/$EVENT/filter"
echo 1 > "$INSTANCE/events/$EVENT/enable"
leave_mib "$M"
check "memory is wanted until reclaim evicts metadata" press_until 120 evicted_much -c text -m $((M + M / 2))
check "the ledger can be read" settle metadata
echo 0 > "$INSTANCE/tracing_on"
evicted=$(of_device 'evicted\.pages' "$TMP/metadata")
check_eq "the trace holds each page that went" "$(trace_lost)" 0
check_eq "it has as many" "$(awk '/ mm_filemap_delete_from_page_cache: / {
		pages = 1
		for (order = substr($NF, 7); order > 0; order--) pages *= 2
		n += pages
	} END { print n + 0 }' "$INSTANCE/trace")" "$evicted"
trace_stop
check_num "reclaim evicted metadata" "$evicted" -ge $((INODE_PAGES / 2))
others=$(sum "$TMP/metadata" 'others\.evicted\.pages')
check_eq "the origins evicted as much" \
	"$(($(sum "$TMP/metadata" '[a-z_]*\.evicted\.pages') - others))" \
	"$(sum "$TMP/metadata" '(device\.[0-9:]*|others)\.evicted\.pages')"
# Inodes that are still there need not be read; this leaves the pages of their tables alone.
echo 2 > /proc/sys/vm/drop_caches
check "the files are looked at once more" look
check_num "metadata was read again" "$(of_device 'reread\.pages')" -ge $((INODE_PAGES / 4))
check "files are made until one needs a bitmap that was evicted" bitmap_again
check_num "ext4 read bitmaps again, that it had read before" "$(of_device 'bitmaps\.[a-z]*\.reread')" -gt 0
check_num "no more than was evicted" "$(of_device 'reread\.pages')" -le "$(of_device 'evicted\.pages')"
check_eq "each has its time" "$(of_device 'reread\.hist\.ms\.[0-9]+')" "$(of_device 'reread\.pages')"
say "evicted $evicted pages of $DEVICE, read $(of_device 'reread\.pages') of them again"
check_unexplained "metadata"
unload_mod

finish

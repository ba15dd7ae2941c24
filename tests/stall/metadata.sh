#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Inode tables and bitmaps of ext4 lie in the page cache of its device. When memory is short,
# reclaim evicts them, and the next look at the files reads them again. The ledger says how many,
# and on which device. Without reclaim it has none.
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

# look: looks at the inode of each file.
look()
{
	[ "$(find "$MNT/d" -type f -size -1 | wc -l)" = "$FILES" ]
}

# This many pages hold their inodes.
INODE_PAGES=$((FILES / 16))
evicted_much()
{
	enough_stalls && [ "$(of_device 'evicted\.pages')" -ge $((INODE_PAGES / 2)) ]
}

evicted_more()
{
	[ "$(of_device 'evicted\.pages')" -gt "$evicted" ]
}

# bitmap_again: makes files, and memory pressure if need be, until ext4 has read a bitmap again.
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
check_eq "the ledger is off by default" "$(row metadata state)" off
echo Y > "$PARAMS/metadata"
check_eq "the parameter switches it on" "$(row metadata state)" on

fs_cold "$DISK"
check "the files are looked at" look
check "the files are looked at again" look
check "there is a new file" "$BIN/benchload" fill "$MNT/new1" 20
sync
check_eq "nothing was evicted" "$(of_device 'evicted\.pages')" 0
check_eq "nothing was read again" "$(of_device 'reread\.pages')" 0
check_num "ext4 read bitmaps of blocks" "$(of_device 'bitmaps\.blocks\.reads')" -gt 0
check_eq "it read no bitmap for the second time" "$(of_device 'bitmaps\.[a-z]*\.reread')" 0
# It is not reclaim that drops these.
fs_cold "$DISK"
check "the files are looked at after all caches were dropped by hand" look
check_eq "that was no eviction" "$(of_device 'evicted\.pages')" 0

# The page cache of a block device has the device's number as its inode's.
EVENT=filemap/mm_filemap_delete_from_page_cache
trace_start
echo "i_ino == $((${DEVICE%:*} << 20 | ${DEVICE#*:}))" > "$INSTANCE/events/$EVENT/filter"
echo 1 > "$INSTANCE/events/$EVENT/enable"
leave_mib "$M"
check "memory is wanted until reclaim evicts metadata" press_until 120 evicted_much -c text -m $((M + M / 2))
check "the ledger can be read" settle metadata
echo 0 > "$INSTANCE/tracing_on"
evicted=$(of_device 'evicted\.pages' "$TMP/metadata")
check_eq "the trace has each page that was dropped" "$(trace_lost)" 0
check_eq "the ledger has as many evictions as the trace" "$(awk '/ mm_filemap_delete_from_page_cache: / {
		pages = 1
		for (order = substr($NF, 7); order > 0; order--) pages *= 2
		n += pages
	} END { print n + 0 }' "$INSTANCE/trace")" "$evicted"
trace_stop
check_num "reclaim evicted metadata" "$evicted" -ge $((INODE_PAGES / 2))
others=$(sum "$TMP/metadata" 'others\.evicted\.pages')
check_eq "the origins sum to what the devices lost" \
	"$(($(sum "$TMP/metadata" '[a-z_]*\.evicted\.pages') - others))" \
	"$(sum "$TMP/metadata" '(device\.[0-9:]*|others)\.evicted\.pages')"
# An inode that is in memory need not be read. Dropping inodes leaves the pages of their tables
# alone.
echo 2 > /proc/sys/vm/drop_caches
check "the files are looked at once more" look
check_num "metadata was read again" "$(of_device 'reread\.pages')" -ge $((INODE_PAGES / 4))
check "files are made until one needs a bitmap that was evicted" bitmap_again
check_num "ext4 read evicted bitmaps again" "$(of_device 'bitmaps\.[a-z]*\.reread')" -gt 0
check_num "no more was read again than was evicted" "$(of_device 'reread\.pages')" -le "$(of_device 'evicted\.pages')"
check_eq "the histogram has each" "$(of_device 'reread\.hist\.ms\.[0-9]+')" "$(of_device 'reread\.pages')"
say "evicted $evicted pages of $DEVICE, read $(of_device 'reread\.pages') of them again"
check_unexplained "metadata"
unload_mod

finish

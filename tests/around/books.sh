#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Write-around writes, its books balance, and what it wrote is freed. This holds on each filesystem,
# with large folios, with both reclaim algorithms, in a cgroup at its limit, and on a loop device
# over another filesystem. The content is compared from a cold cache.
# guards: rust/ledgers/write_around.rs rust/helper.rs rust/helper/ rust/rows/helper.rs rust/policy/window.rs rust/policy/short.rs qemu/patches/0001* rust/probes/block.rs
# faults: books data
# disk: 1G 1G
# timeout: 400
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk0
need_disk disk1
DIRTY=40	# MiB
CHECKS=$((AROUND_BOOKS + 9))
start_test $((7 * CHECKS + 1)) "write-around, and its books"
load_helper
disk_attach disk1
SPARE=$DISK
disk_attach disk0
keeps_pages
MIN_FREE=$(cat "$MARKS")
vm min_free_kbytes "$MIN_FREE"
leave_mib $((DIRTY + 32))
# The OOM killer comes after 16 rounds of reclaim that freed nothing. With all of the LRU dirty and
# no swap these may end before a busy machine has written the first window, whoever writes it. So
# reclaim has swap, but only as a last resort.
vm swappiness 1
swap_on "$SPARE"

some_freed()
{
	[ "$(around freed.within_1s)" -gt "$(sum "$TMP/before/helper" 'freed\.within_1s')" ]
}

# rounds PRESS: writes DIRTY MiB to the cache, and makes a part of them go, until some pages were
# freed soon enough. One round does, unless the machine is busy with other work.
ROUNDS=8
rounds()
{
	gen=0
	while [ "$gen" -lt "$ROUNDS" ]; do
		gen=$((gen + 1))
		"$1" || return 1
		around_quiet
		# The module looks at a page a second after it was cleaned.
		! loop_until 30 some_freed || return 0
	done
}

# around_is WHAT DEV: checks what became of the pages.
around_is()
{
	local written

	snap after
	deltas 'windows=helper:windows' 'targets=helper:written\.pages\.targets' \
		'cleaned=helper:clean\.targets' 'freed=helper:freed\.within_1s' \
		'rotated=vmstat:pgrotated'
	# shellcheck disable=SC2154 # what deltas sets
	{
		check_num "$1: windows were written" "$d_windows" -gt 0
		check_num "$1: they had targets" "$d_targets" -gt 0
		check_num "$1: targets were cleaned" "$d_cleaned" -gt 0
		check_num "$1: targets were freed within a second" "$d_freed" -gt 0
		check_num "$1: the kernel rotated pages" "$d_rotated" -gt 0
	}
	check_around_books "$1"
	written=$(hsum 'written\.pages\.(targets|others)')
	# The flusher may be faster with some, and a filesystem may write more for reasons of its own.
	check_num "$1: the bios have nearly all pages that were written" "$(hsum 'bio\.pages')" -ge \
		$((written - written / 50))
	check_num "$1: and hardly any more" "$(hsum 'bio\.pages')" -le $((written + written / 50))
	fs_cold "$2"
	check "$1: the content is right from a cold cache" proves verify -p "$PAGES" -g "$gen" "$MNT/file"
}

# one TYPE DEV WHAT [filehog options]: at most STAY pages of the file stay dirty.
PAGES=$((DIRTY * 256))
STAY=$((PAGES / 2))
one()
{
	local type="$1" dev="$2" what="$3"

	shift 3
	OPTIONS=$*
	fs_new "$type" "$dev"
	snap before
	check "$what: a task got its memory" rounds squeezed
	around_is "$what" "$dev"
	fs_umount "$dev"
}

# With SHORT the node is short of memory from the start. Otherwise kswapd meets the first dirty
# pages while there is enough, and asks the flusher, which writes them all. MGLRU meets them when
# the node is short already.
SHORT=y
squeezed()
{
	local rc

	# shellcheck disable=SC2086 # options
	file write -p "$PAGES" $OPTIONS -g "$gen" "$MNT/file" || return 1
	[ -z "$SHORT" ] || echo $(($(mem_mib MemFree) * 1024 + 8192)) > "$MARKS" || return 1
	around_squeeze $STAY
	rc=$?
	echo "$MIN_FREE" > "$MARKS"
	return $rc
}

classic() { one "$1" "$DISK" "$1, classic" -o random; }
# In random order btrfs runs out of the room that it reserves for metadata, and writes by itself.
in_batches() { one "$1" "$DISK" "$1, classic" -b 64; }
large() { one "$1" "$DISK" "$1, large folios" -b 64; }
mglru() { SHORT='' && one "$1" "$DISK" "$1, mglru" -o random; }

cgroup()
{
	local dev="$DISK"

	fs_new "$1" "$dev"
	around_cg rwb-books $((DIRTY / 2))
	snap before
	check "$1, cgroup: the file was written" rounds in_cgroup
	around_is "$1, cgroup" "$dev"
	fs_umount "$dev"
}

in_cgroup()
{
	file_in "$ACG" write -p "$PAGES" -o random -g "$gen" "$MNT/file"
}

# The worker writes to the loop device, whose own worker dirties the file below it.
loop()
{
	local dev="$DISK" loop

	fs_new "$1" "$dev"
	truncate -s $((DIRTY * 4 + 64))M "$MNT/image"
	loop=$(losetup -f)
	losetup "$loop" "$MNT/image" || bail "no loop device"
	undo "losetup -d $loop"
	one ext4 "$loop" "ext4 on loop on $1" -o random
	losetup -d "$loop"
	MNT=$TMP/mnt-${dev##*/}
	fs_umount "$dev"
}

if ! lru classic; then bail "the classic reclaim cannot be chosen"; fi
for_fs $CHECKS classic ext4 xfs
for_fs $CHECKS in_batches btrfs
for_fs $CHECKS large xfs
for_fs $CHECKS cgroup ext4
for_fs $CHECKS loop xfs
if lru mglru; then
	for_fs $CHECKS mglru ext4
else
	skip_checks $CHECKS "no MGLRU in this kernel"
fi
drop_ballast
check_eq "the filesystems complain of nothing" "$(fs_complaints)" clean

finish

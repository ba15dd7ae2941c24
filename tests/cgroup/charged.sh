#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a worker of ours writes is charged to whose it is: the io controller has swap-out in
# io.stat of the cgroup whose pages go, and dirty files in that of the cgroup that owns the inode,
# with the helper as without it. A cgroup at its memory.high gains nothing by a writer that writes
# for it: it holds no more memory than without one.
# guards: rust/helper/swap.rs rust/helper/swap/writer.rs rust/helper/file/worker.rs rust/kernel_ext/swap.rs rust/kernel_ext/fs.rs qemu/patches/0002*
# faults: books
# disk: 512M 512M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_handoff
need_helper
need_memcg
need_no_swap
need_disk disk0 disk1
need_fs ext4
grep -qw io "$CG/cgroup.controllers" || skip_all "no io controller in cgroup v2"
start_test plan-at-end "who is charged for what the workers write"
echo "+memory +io" > "$CG/cgroup.subtree_control" || bail "no io controller"
M=$(scaled 32)
load_mod write_around=Y handoff=never
disk_attach disk0
SWAP=$DISK
swap_on "$SWAP"
disk_attach disk1
DEV=$DISK

# charged CGROUP DEV: pages that were written for it.
charged()
{
	awk -v dev="$(bdi_of "$2")" '$1 == dev { for (i = 2; i <= NF; i++) if (sub(/^wbytes=/, "", $i)) n += $i }
		END { printf "%d\n", n / 4096 }' "$CG/$1/io.stat"
}

# swaps MODE: a task of a cgroup wants twice what that may have.
swaps()
{
	local cg="rwb-swap-$1" out taken wrote

	set_to "handoff=$1" || bail "handoff=$1 is refused"
	cg_make "$cg"
	echo "${M}M" > "$CG/$cg/memory.max"
	out=$(written_sectors "$SWAP") taken=$(handed '[a-z_]*\.taken\.pages')
	hog_in "$CG/$cg" "$1" -c text -m $((M * 2))
	hog_filled "$1"
	handoff_quiet
	quiesce
	wrote=$((($(written_sectors "$SWAP") - out) / 8))
	taken=$(($(handed '[a-z_]*\.taken\.pages') - taken))
	say "handoff=$1: $wrote pages were written, $taken of them by the writer"
	check_num "$1: the swap device was written" $wrote -gt $((M * 128))
	check_num "$1: and its cgroup is charged for that, pages" "$(charged "$cg" "$SWAP")" -ge $((wrote * 19 / 20))
	check_num "$1: and for no more" "$(charged "$cg" "$SWAP")" -le "$wrote"
	if [ "$1" = never ]; then
		check_eq "$1: all by who reclaimed" $taken 0
	else
		check_num "$1: most by the writer" $taken -gt $((wrote / 2))
	fi
	check "$1: every page came back right" hog_done "$1"
	section "handoff=$1" 5
}

swaps never
swaps always

# --- files

keeps_pages
fs_new ext4 "$DEV"
around_cg rwb-files "$M"
before=$(charged rwb-files "$DEV")
helped=$(sum "$LEDGER/helper" 'written\.pages\.(targets|others)')
file_in "$ACG" write -p $((M * 192)) -o random -g 1 "$MNT/file" || bail "cannot write"
around_meets $((M / 4)) || say "the flusher was first"
around_met
around_quiet
helped=$(($(sum "$LEDGER/helper" 'written\.pages\.(targets|others)') - helped))
before=$(($(charged rwb-files "$DEV") - before))
check_num "files: the worker wrote pages" $helped -gt 0
# The flusher wrote for it, too.
check_num "files: the cgroup that owns them is charged, pages" $before -ge $helped
fs_cold "$DEV"
check "files: content from a cold cache" proves verify -p $((M * 192)) -g 1 "$MNT/file"
fs_umount "$DEV"
section "files" 3

# --- memory.high

# over_high MODE: sets PEAK to what its cgroup ever held, in pages.
over_high()
{
	local cg="rwb-high-$1"

	set_to "handoff=$1" || bail "handoff=$1 is refused"
	cg_make "$cg"
	[ -e "$CG/$cg/memory.peak" ] || bail "no memory.peak"
	echo "${M}M" > "$CG/$cg/memory.high"
	hog_in "$CG/$cg" "high-$1" -c text -m $((M * 3 / 2))
	hog_filled "high-$1"
	PEAK=$(($(cat "$CG/$cg/memory.peak") / 4096))
	check_num "$1: it was over memory.high" "$(awk '$1 == "high" { print $2 }' "$CG/$cg/memory.events")" -gt 0
	# The way back is not what this is about.
	echo max > "$CG/$cg/memory.high"
	check "$1: every page came back right" hog_done "high-$1"
	section "memory.high: $1" 2
}

over_high never
never=$PEAK
over_high always
say "at memory.high of $((M * 256)) pages: $never at most without handoff, $PEAK with it"
check_num "handed-over pages are the cgroup's until they are written: it holds no more" \
	"$PEAK" -le $((never + M * 64))
section "memory.high" 1

finish

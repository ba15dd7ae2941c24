#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# With write_around=N reclaim meets as many dirty folios as ever, and hands none of them to the
# helper.
# guards: rust/helper.rs rust/settings.rs rust/control/parameters.rs qemu/patches/0001*
# faults: report
# disk: 1G 1G
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk0
start_test 8 "write-around switched off"
load_mod write_around=N
disk_attach disk0
keeps_pages
fs_new ext4 "$DISK"
around_cg rwb-off 8
check_eq "state" "$(around state)" off

# Reclaim must have looked at folios of files, or the zeros below would say nothing.
before=$(vmstat pgscan_file)
file_in "$ACG" write -p 4096 -o random "$MNT/file" || bail "cannot write"
check_num "reclaim went over file folios" $(($(vmstat pgscan_file) - before)) -gt 0
check_eq "the helper met none" "$(around met.folios)" 0
check_eq "it queued none" "$(around queued.folios)" 0
check_eq "it wrote no window" "$(around windows)" 0
echo Y > "$PARAMS/write_around"
# All of the file is dirty when its cgroup shrinks, and nobody else writes it.
around_cg_limit 24
file_in "$ACG" write -p 4096 -o random -g 2 "$MNT/file" || bail "cannot write"
around_cg_limit 4
check_num "switched on, the helper meets folios" "$(around met.folios)" -gt 0
fs_cold "$DISK"
check "the content is right from a cold cache" proves verify -p 4096 -g 2 "$MNT/file"
fs_umount "$DISK"
check_eq "the filesystem complains of nothing" "$(fs_complaints)" clean

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# First half of qemu/kill-test.sh, which kills this guest: files are overwritten,
# fsynced, and each is named when it was, while write-around writes beside it.
# Arguments come from the kernel command line: rwb.fs=ext4.
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk0
need_fs "${RWB_FS:-ext4}"
start_test 1 "files are synced until the guest is killed"
load_helper
disk_attach disk0
keeps_pages
fs_new "${RWB_FS:-ext4}" "$DISK"
around_cg rwb-kill 8
# Never synced: what the worker has to do meanwhile.
file_bg other "$ACG" write -f -n 4 -p 2048 -o random "$MNT/other"
loop_until 100 around_has_pending || bail "nothing was queued"
say "windows $(around windows)"
in_cg "$ACG" "$BIN/filehog" write -y -f -n 8 -p 256 -o random "$MNT/synced"
bail "the writer ended by itself"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# First half of qemu/kill-test.sh, which kills this guest: files are overwritten and fsynced, and
# each is reported when it was synced, while write-around writes other files. The kernel command
# line has the arguments: rwb.fs=ext4.
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
# This file is never synced: it keeps the worker busy.
file_bg other "$ACG" write -f -n 4 -p 2048 -o random "$MNT/other"
loop_until 100 around_has_pending || bail "nothing was queued"
say "windows $(around windows)"
in_cg "$ACG" "$BIN/filehog" write -y -f -n 8 -p 256 -o random "$MNT/synced"
bail "the writer ended by itself"

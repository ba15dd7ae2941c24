#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind failed, for a synchronous device: zram that has reached its mem_limit refuses what it is
# given. A page that was refused was not written, although the kernel's pswpout counts it.
# guards: rust/ledgers/writes.rs rust/ledgers/swap_io.rs rust/ledgers/windows.rs rust/probes/block.rs rust/probes/vmscan.rs
# faults: books report
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_tool
start_test plan-at-end "zram that is full"
load_mod
kmod zram num_devices=1 || bail "no zram"
undo "rmmod zram"
echo 128M > /sys/block/zram0/disksize || bail "no zram"
undo "echo 1 > /sys/block/zram0/reset"
echo 4M > /sys/block/zram0/mem_limit || bail "no mem_limit"
swap_on /dev/zram0

refused()
{
	awk '{ print $2 }' /sys/block/zram0/io_stat
}

reported()
{
	"$TOOL" report --since "$TMP/since.json" > "$TMP/report"
}

"$TOOL" snapshot -o "$TMP/since.json" || bail "no snapshot"
before=$(refused)
page_out hog -c random -m "$(scaled 16)"
failed=$(($(refused) - before))
check_charged madvise anon failed $(($(scaled 16) * 100))
section "what was written" "$CHARGED"
check_books
section "books" "$BOOKS"
check_num "zram refused pages" "$failed" -gt 256
check_eq "the ledger has as many that failed" "$(delta writes '[a-z_]*\.(anon|shmem)\.failed\.pages')" \
	"$failed"
check_eq "no page that was refused counts as written" \
	"$(delta writes '[a-z_]*\.(anon|shmem)\.(io|sync)\.pages')" \
	"$(($(delta vmstat pswpout) - failed))"
check_num "other pages were written" "$(delta writes 'madvise\.anon\.sync\.pages')" -gt 256
check_eq "the ledger names the device" "$(row writes device.zram0.failed.pages)" "$failed"
section "what was refused" 5
check "there is a report" reported
# The summary is one line now, and its numbers have no commas.
tr -s ' \n' ' ' < "$TMP/report" | tr -d , > "$TMP/report.flat"
check "its summary says that zram is full" \
	grep -Eq "SUMMARY.*swap device zram0 refused $failed pages.*zram is full.*WHO WROTE" \
	"$TMP/report.flat"
check "it says that these pages were refused, not written" \
	grep -Eq "[^0-9]$failed pages \([^)]*\) refused by the device" "$TMP/report.flat"
check "its books balance" grep -q 'The books balance' "$TMP/report.flat"
section "the report" 4
check "every page is right" hog_done hog
section "content" 1

finish

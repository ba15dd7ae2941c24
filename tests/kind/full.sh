#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Kind failed, of a synchronous device: zram that has reached its mem_limit refuses what it is
# given. A page that was refused is not one that was written; the kernel's pswpout has both.
# guards: rust/ledgers/writes.rs rust/ledgers/swap_io.rs rust/ledgers/windows.rs rust/probes/block.rs
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
check_eq "they are the ones that failed" "$(delta writes '[a-z_]*\.(anon|shmem)\.failed\.pages')" \
	"$failed"
check_eq "no page that was refused counts as written" \
	"$(delta writes '[a-z_]*\.(anon|shmem)\.(io|sync)\.pages')" \
	"$(($(delta vmstat pswpout) - failed))"
check_num "some were written" "$(delta writes 'madvise\.anon\.sync\.pages')" -gt 256
check_eq "the device is named" "$(row writes device.zram0.failed.pages)" "$failed"
section "what was refused" 5
check "there is a report" reported
# A line of the summary is broken where the page ends.
tr -s ' \n' ' ' < "$TMP/report" > "$TMP/report.flat"
check "its summary says that zram is full" \
	grep -Eq 'SUMMARY.*swap device zram0 refused [0-9,]+ pages.*zram is full.*WHO WROTE' \
	"$TMP/report.flat"
check_not "and not that they were written" \
	grep -Eq "$failed pages \([0-9]+%\) written" "$TMP/report.flat"
check "its books balance" grep -q 'The books balance' "$TMP/report.flat"
section "the report" 4
check "every page is right" hog_done hog
section "content" 1

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: no harm: sequential writers
# metrics: finish_s write_requests request_kib scanned_per_freed others_pages
# aim: finish_s ~ stock; write_requests ~ stock
# mem: 320M
# timeout: 120
. "$(dirname "$0")/lib.sh"

MIB=128
set_up 2 "sequential writers"

writers()
{
	load -k second -s 2 -y write $MNT/second $MIB &
	second=$!
	load -k load -y write $MNT/first $MIB
	until_done $second
}

measured writers
verified "first file: every page is right" verify $MNT/first $MIB
verified "second file: every page is right" -s 2 verify $MNT/second $MIB

finish

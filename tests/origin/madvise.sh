#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Origin madvise: MADV_PAGEOUT on a task's own memory. No window is open.
# guards: rust/words/origin.rs rust/ledgers/windows.rs
# faults: origin
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
start_test $((ONLY + 1)) "writes by MADV_PAGEOUT"
load_mod
zram_swap_on 64

page_out hog -c text -m "$(scaled 16)"
check_only madvise anon sync $(($(scaled 16) * 200))
check "every page came back right" hog_done hog

finish

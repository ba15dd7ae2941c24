#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# There is no I/O scheduler.
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
SCHED=/sys/block/${NBD_DEV##*/}/queue/scheduler
grep -qw none "$SCHED" || skip_all "$NBD_DEV cannot do without a scheduler"
nbd_start 1 "I/O scheduler none"
nbd_swap_on fast
set_file "$SCHED" none || bail "no none"
load_begin
goes_on 2000
check "there is no scheduler" grep -qF '[none]' "$SCHED"
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The I/O scheduler is mq-deadline, which merges and sorts.
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
SCHED=/sys/block/${NBD_DEV##*/}/queue/scheduler
grep -qw mq-deadline "$SCHED" || skip_all "no mq-deadline for $NBD_DEV"
nbd_start 1 "I/O scheduler mq-deadline"
nbd_swap_on fast
set_file "$SCHED" mq-deadline || bail "no mq-deadline"
load_begin
goes_on 2000
check "the scheduler is mq-deadline" grep -qF '[mq-deadline]' "$SCHED"
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: swap over NBD: a thin link, beside it allocations of order 3 (32 KiB)
# metrics: oom_kills touches longest_ms high_success high_p50_ms high_p99_ms high_longest_ms
# aim: high_success ~ stock; high_p99_ms ~ stock; oom_kills <= 0
# sides: stock tuned reclaimwb
# nbd: slow
# mem: 384M
# timeout: 300
export NBD=slow TASKS=2 MIB=230 ORDER=3
exec "$(dirname "$0")/swap.sh"

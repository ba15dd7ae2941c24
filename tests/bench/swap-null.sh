#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: swap to a device that is as fast as memory (null_blk, a queue for each of 4 CPUs)
# metrics: oom_kills fill_s touches touches_least longest_ms touch_longest_ms slow_p50_ms slow_p99_ms stall_p50_ms stall_p99_ms stall_longest_ms pages_per_bio reclaim_cpu_s fill_cpu_us_per_page cpu_us_per_page stalls refused
# aim: oom_kills <= 0; touches >= 0.9*stock; cpu_us_per_page <= 1.05*stock; fill_cpu_us_per_page <= 1.05*stock
# sides: stock reclaimwb
# nbd: none
# mem: 1G
# smp: 4
# timeout: 300
export NBD=none NULL_MIB=480 TASKS=4 MIB=120
exec "$(dirname "$0")/swap.sh"

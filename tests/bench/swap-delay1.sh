#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: swap over NBD: a long link, 1 ms each way
# metrics: oom_kills fill_s touches touches_least longest_ms touch_longest_ms slow_p50_ms slow_p99_ms stall_p50_ms stall_p99_ms stall_longest_ms pages_per_bio reclaim_cpu_s fill_cpu_us_per_page cpu_us_per_page stalls refused
# aim: stall_p99_ms <= 0.1*stock; longest_ms <= 0.1*stock; touches >= 1.2*best; oom_kills <= 0; cpu_us_per_page <= 1.05*stock; fill_cpu_us_per_page <= 1.05*stock
# sides: stock tuned reclaimwb
# nbd: delay
# connections: 2
# mem: 384M
# timeout: 300
export NBD=delay TASKS=2 MIB=230
exec "$(dirname "$0")/swap.sh"

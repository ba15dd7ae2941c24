#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: swap over NBD: a thin link, a cgroup at its limit, and a neighbour
# metrics: oom_kills fill_s touches touches_least longest_ms touch_longest_ms neighbour_longest_ms slow_p50_ms slow_p99_ms stall_p50_ms stall_p99_ms stall_longest_ms pages_per_bio reclaim_cpu_s fill_cpu_us_per_page cpu_us_per_page refused
# aim: oom_kills <= 0
# sides: stock tuned reclaimwb
# nbd: slow
# mem: 384M
# timeout: 300
export NBD=slow TASKS=2 MIB=100 CGROUP=120 NEIGHBOUR=64
exec "$(dirname "$0")/swap.sh"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: wrong node first, MGLRU
# metrics: oom_kills squeeze_s beyond_calm_s longest_ms scanned_per_freed unneeded_pages others_pages write_requests
# aim: oom_kills <= 0; squeeze_s < 1; scanned_per_freed <= 8
# mem: 1G
# numa: 2
# timeout: 120
export LRU=mglru
exec "$(dirname "$0")/wrong-node.sh"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: wrong node first, sparse
# The old file is written in sequence, and the one in the way at random, so that each run of its
# pages is a request. It pays to write where most is dirty.
# metrics: oom_kills squeeze_s beyond_calm_s longest_ms scanned_per_freed unneeded_pages others_pages write_requests
# mem: 1G
# numa: 2
# timeout: 120
export DIRTY=default OLD_ORDER=seq NEW_ORDER=half NEW=second NEW_MIB=240 NEW_FILLED=-O
exec "$(dirname "$0")/wrong-node.sh"

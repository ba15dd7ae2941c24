#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Swap over NBD, at a cgroup's limit.
# The scenario of tests/nbd/ with the helper, for every `make test`.
# tier: all (origin/memcg-max.sh has the limit, nbd/restart-same.sh the device)
# guards: rust/helper/swap/ rust/ledgers/nbd.rs
# faults: data progress
# nbd: fast
# mem: 256M
# timeout: 600
# variants: base
RWB_TESTS=$(cd "$(dirname "$0")" && pwd)
export RWB_TESTS RWB_SIDE=helper
exec "$RWB_TESTS/nbd/memcg.sh"

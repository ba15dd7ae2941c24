#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Swap over NBD, the server stops for good: the hang is found, and told of.
# The scenario of tests/nbd/ with the helper, for every `make test`.
# guards: rust/helper/swap/ rust/ledgers/nbd.rs
# faults: progress report
# nbd: fast
# mem: 272M
# timeout: 300
# variants: base
RWB_TESTS=$(cd "$(dirname "$0")" && pwd)
export RWB_TESTS RWB_SIDE=helper
exec "$RWB_TESTS/nbd/frozen.sh"

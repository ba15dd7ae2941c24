#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Swap over NBD, a share of the reads fails: SIGBUS, and never a wrong page.
# The scenario of tests/nbd/ with the helper, for every `make test`.
# guards: rust/helper/swap/ rust/policy/nbd.rs
# faults: data progress
# nbd: eio-read
# mem: 256M
# timeout: 600
# variants: base
RWB_TESTS=$(cd "$(dirname "$0")" && pwd)
export RWB_TESTS RWB_SIDE=helper
exec "$RWB_TESTS/nbd/eio-read.sh"

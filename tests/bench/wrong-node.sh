#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: wrong node first
# Node 0 holds an older dirty file, and node 1 a newer one that the disk could take in half a
# second. A task that may only use node 1 wants memory.
# metrics: oom_kills squeeze_s beyond_calm_s longest_ms scanned_per_freed unneeded_pages others_pages write_requests
# aim: oom_kills <= 0; squeeze_s < 1; scanned_per_freed <= 8
# mem: 1G
# numa: 2
# timeout: 120
. "$(dirname "$0")/lib.sh"

# The other scenarios of this kind (wrong-node-*.sh, sparse.sh) set these.
DIRTY=${DIRTY:-late} LRU=${LRU:-classic} OLD_ORDER=${OLD_ORDER:-half}
NEW_ORDER=${NEW_ORDER:-seq} NEW=$MNT/${NEW:-new} NEW_MIB=${NEW_MIB:-120}

set_up 3 "wrong node first, $DIRTY dirty settings, $LRU LRU"
[ "$DIRTY" = default ] || late_dirty

# This is how long it takes without pressure, which may be most of the time under emulation.
load -k calm -B 1 touch 350
load -k old -N 0 -O -o "$OLD_ORDER" write $OLD $OLD_MIB
load -k new -N 1 -o "$NEW_ORDER" write "$NEW" "$NEW_MIB"
measured load -k squeeze -B 1 touch 350

check "the squeeze took place" grep -q '^squeeze.pages [1-9]' "$RESULTS/loads"
verified "old file: every page is right" -O -o "$OLD_ORDER" verify $OLD $OLD_MIB
# shellcheck disable=SC2086 # an option, or nothing
verified "new file: every page is right" ${NEW_FILLED:-} -o "$NEW_ORDER" verify "$NEW" "$NEW_MIB"

finish

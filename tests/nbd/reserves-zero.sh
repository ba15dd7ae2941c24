#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# reserves.sh with no free page left at all: what the network needs to free memory with is
# not there.
# nbd: fast
# mem: 256M
# timeout: 600
RWB_LEFT=0 exec "$(dirname "$0")/reserves.sh"

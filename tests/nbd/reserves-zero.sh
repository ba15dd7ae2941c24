#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This is reserves.sh with no free page left at all: the network has no memory with which to free
# memory.
# nbd: fast
# mem: 256M
# timeout: 600
RWB_LEFT=0 exec "$(dirname "$0")/reserves.sh"

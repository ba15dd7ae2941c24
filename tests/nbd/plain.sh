#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Nothing goes wrong: what the other scenarios are held against, and on a kernel with NBD
# built in the proof that it does not matter.
# nbd: fast
# mem: 256M
# timeout: 600
. "$(dirname "$0")/../lib/nbd.sh"

need_nbd fast
nbd_start 0 "nothing goes wrong"
nbd_swap_on fast
load_begin
goes_on 2000
load_end
nbd_finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Nothing goes wrong. The other scenarios are compared with this one. On a kernel with NBD built in
# it shows that this does not matter.
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

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same, with a server as any program is: it stores through the page cache, nothing of it is locked,
# and it takes a MiB of memory for each request. No side may be worse off than stock.
# disk: 512M
# mem: 256M
# timeout: 600
export SELF=needy NEED_KIB=1024
exec "$(dirname "$0")/self.sh"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# title: no harm: small files, as a build has them
# Two tasks write, read, rename and delete small files, while memory comes and goes.
# metrics: oom_kills finish_s write_requests request_kib scanned_per_freed others_pages
# aim: finish_s ~ stock; write_requests ~ stock
# mem: 384M
# timeout: 120
. "$(dirname "$0")/lib.sh"

FILES=500
set_up 1 "small files"

mkdir $MNT/tree
# The files do not all fit into memory.
leave_mib 24
measured load -k load -j 2 -m 8 build $MNT/tree $FILES
# The files are few enough to be written, so that everything comes from the disk.
sync
verified "every file is right" -j 2 rebuilt $MNT/tree $FILES

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script freezes PID 1, which shows no more sign of life. It needs a guest of its own (any
# needs will do).
# append: rwb.meta=freezes
echo "1..1"
mkdir /sys/fs/cgroup/frozen
echo 1 >/sys/fs/cgroup/frozen/cgroup.procs
echo 1 >/sys/fs/cgroup/frozen/cgroup.freeze
while :; do sleep 1; done

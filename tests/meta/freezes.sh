#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Freezes PID 1: no more sign of life. On a guest of its own (any needs will do).
# append: rwb.meta=freezes
echo "1..1"
mkdir /sys/fs/cgroup/frozen
echo 1 >/sys/fs/cgroup/frozen/cgroup.procs
echo 1 >/sys/fs/cgroup/frozen/cgroup.freeze
while :; do sleep 1; done

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script does everything right, but its exit code is wrong.
echo "1..1"
echo "ok 1 passes"
exit 3

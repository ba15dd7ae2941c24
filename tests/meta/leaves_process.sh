#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script leaves a process behind, which PID 1 must find and end.
echo "1..1"
sleep 1000 &
echo "ok 1 left one"

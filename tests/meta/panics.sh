#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script takes the kernel down after its first result.
echo "1..2"
echo "ok 1 before the panic"
echo c >/proc/sysrq-trigger
echo "ok 2 after the panic"

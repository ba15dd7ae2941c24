#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script has fewer results than planned, and yet exits with 0.
echo "1..3"
echo "ok 1 one"
echo "ok 2 two"

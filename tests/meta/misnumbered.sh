#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script leaves out a number.
echo "1..2"
echo "ok 1 one"
echo "ok 3 three"

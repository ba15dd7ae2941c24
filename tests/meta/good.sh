#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script passes one check and skips one.
echo "TAP version 13"
echo "1..2"
echo "ok 1 passes"
echo "ok 2 skips # SKIP nothing to do"
echo "what goes to stderr is no result: not ok 3" >&2

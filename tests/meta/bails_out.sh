#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script gives up half-way.
echo "1..1"
echo "Bail out! no more"
exit 1

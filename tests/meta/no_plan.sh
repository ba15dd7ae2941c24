#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script has a result but no plan.
echo "ok 1 unplanned"

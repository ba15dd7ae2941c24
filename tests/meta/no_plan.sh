#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Has a result but no plan.
echo "ok 1 unplanned"

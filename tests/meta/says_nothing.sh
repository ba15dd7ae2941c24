#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This script succeeds without a word.
exit 0

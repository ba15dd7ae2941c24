#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Succeeds without a word.
exit 0

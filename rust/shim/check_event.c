// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled by conftest.sh, never linked: have the probe entries in probes.h the
 * prototypes that this kernel's own headers give? RWB_CHECKS is a sequence of
 * RWB_CHECK(event), separated by semicolons, for the events in question.
 */
#include "probes.h"

#define RWB_CHECK(event)	check_trace_callback_type_##event(rwb_probe_##event)

void rwb_check_event(void);

void rwb_check_event(void)
{
	RWB_CHECKS;
}

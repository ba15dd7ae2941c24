// SPDX-License-Identifier: GPL-2.0
/*
 * conftest.sh compiles this file, and never links it, to find out whether the probe entries in
 * RWB_HEADER have the prototypes that this kernel's own headers give. RWB_CHECKS is a sequence of
 * RWB_CHECK(event), separated by semicolons, for the events in question.
 */
#include RWB_HEADER

#define RWB_CHECK(event)	check_trace_callback_type_##event(rwb_probe_##event)

void rwb_check_event(void);

void rwb_check_event(void)
{
	RWB_CHECKS;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled once per event by conftest.sh, never linked: does the probe entry
 * in probes.h have the prototype that this kernel's own header gives?
 */
#include "probes.h"

#define RWB_CHECK(event)	_RWB_CHECK(event)
#define _RWB_CHECK(event)	check_trace_callback_type_##event(rwb_probe_##event)

void rwb_check_event(void);

void rwb_check_event(void)
{
	RWB_CHECK(RWB_EVENT);
}

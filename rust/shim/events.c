// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events.
 *
 * Context: any in which the probes run, and the file workers. Never sleeps.
 */
#define CREATE_TRACE_POINTS
#include "events.h"

void rwb_trace_reclaim_write(u32 origin, u32 kind, const struct rwb_folio *folio,
			     unsigned long headroom)
{
	trace_reclaim_write(origin, kind, folio, headroom);
}

bool rwb_trace_reclaim_write_enabled(void)
{
	return trace_reclaim_write_enabled();
}

void rwb_trace_reclaim_window(u32 origin, unsigned long nr_reclaimed, u64 pages_written,
			      u32 depth, u64 ns)
{
	trace_reclaim_window(origin, nr_reclaimed, pages_written, depth, ns);
}

bool rwb_trace_reclaim_window_enabled(void)
{
	return trace_reclaim_window_enabled();
}

void rwb_trace_headroom_low(u32 origin, u32 layer, unsigned long headroom, unsigned long floor,
			    const unsigned long *callers, u32 nr)
{
	trace_headroom_low(origin, layer, headroom, floor, callers, nr);
}

bool rwb_trace_headroom_low_enabled(void)
{
	return trace_headroom_low_enabled();
}

void rwb_trace_write_around(struct inode *inode, u64 start, u32 nr, u32 targets, u32 others,
			    u32 ranges, u64 us)
{
	trace_write_around(inode, start, nr, targets, others, ranges, us);
}

bool rwb_trace_write_around_enabled(void)
{
	return trace_write_around_enabled();
}

void rwb_trace_stall(const struct rwb_stall_end *stall)
{
	trace_stall(stall);
}

bool rwb_trace_stall_enabled(void)
{
	return trace_stall_enabled();
}

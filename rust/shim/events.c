// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events, and the names of what they show.
 *
 * Context: any in which the probes run; never sleeps.
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

void rwb_trace_stall(const struct rwb_stall *stall)
{
	trace_stall(stall);
}

bool rwb_trace_stall_enabled(void)
{
	return trace_stall_enabled();
}

#define RWB_NAME(num, name)	[num] = name,

static const char * const rwb_origin_names[] = { RWB_ORIGINS(RWB_NAME) };
static const char * const rwb_kind_names[] = { RWB_KINDS(RWB_NAME) };
static const char * const rwb_layer_names[] = { RWB_LAYERS(RWB_NAME) };
static const char * const rwb_cause_names[] = { RWB_CAUSES(RWB_NAME) };
static_assert(ARRAY_SIZE(rwb_cause_names) == RWB_NR_CAUSES);

/* Name @index of table 0 origins, 1 kinds, 2 layers, 3 functions, 4 causes; NULL past its end. */
const char *rwb_name(u32 table, u32 index)
{
	switch (table) {
	case 0:
		return index < ARRAY_SIZE(rwb_origin_names) ? rwb_origin_names[index] : NULL;
	case 1:
		return index < ARRAY_SIZE(rwb_kind_names) ? rwb_kind_names[index] : NULL;
	case 2:
		return index < ARRAY_SIZE(rwb_layer_names) ? rwb_layer_names[index] : NULL;
	case 3:
		return rwb_function_name(index);
	case 4:
		return index < ARRAY_SIZE(rwb_cause_names) ? rwb_cause_names[index] : NULL;
	default:
		return NULL;
	}
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace events of reclaimwb, for trace-cmd, perf and bpftrace.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM reclaimwb

#if !defined(RWB_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define RWB_EVENTS_H

#include <linux/fs.h>
#include <linux/tracepoint.h>

#include "shim.h"

#define RWB_SYM(num, name)	{ num, name },
#define rwb_show_origin(v)	__print_symbolic(v, RWB_ORIGINS(RWB_SYM) { -1, "?" })
#define rwb_show_kind(v)	__print_symbolic(v, RWB_KINDS(RWB_SYM) { -1, "?" })
#define RWB_PART(num, name)	name "=%llu "
#define RWB_PART_OF(num, name)	__entry->parts[num] / 1000,
#define rwb_show_layer(v)	__print_symbolic(v, RWB_LAYERS(RWB_SYM) { -1, "?" })

/* Reclaim wrote a folio. */
TRACE_EVENT(reclaim_write,

	TP_PROTO(u32 origin, u32 kind, const struct rwb_folio *folio, unsigned long headroom),

	TP_ARGS(origin, kind, folio, headroom),

	TP_STRUCT__entry(
		__field(u64, cgroup)
		__field(unsigned long, headroom)
		__field(u32, origin)
		__field(u32, kind)
		__field(u32, nr_pages)
		__field(u32, order)
		__field(u32, nid)
		__field(bool, anon)
	),

	TP_fast_assign(
		__entry->cgroup = folio->cgroup;
		__entry->headroom = headroom;
		__entry->origin = origin;
		__entry->kind = kind;
		__entry->nr_pages = folio->nr_pages;
		__entry->order = folio->order;
		__entry->nid = folio->nid;
		__entry->anon = folio->flags & RWB_FOLIO_ANON;
	),

	TP_printk("origin=%s kind=%s type=%s nr_pages=%u order=%u nid=%u cgroup=%llu headroom=%lu",
		  rwb_show_origin(__entry->origin), rwb_show_kind(__entry->kind),
		  __entry->anon ? "anon" : "shmem", __entry->nr_pages, __entry->order,
		  __entry->nid, __entry->cgroup, __entry->headroom)
);

/* A reclaim window ended. */
TRACE_EVENT(reclaim_window,

	TP_PROTO(u32 origin, unsigned long nr_reclaimed, u64 pages_written, u32 depth, u64 ns),

	TP_ARGS(origin, nr_reclaimed, pages_written, depth, ns),

	TP_STRUCT__entry(
		__field(unsigned long, nr_reclaimed)
		__field(u64, pages_written)
		__field(u64, ns)
		__field(u32, origin)
		__field(u32, depth)
	),

	TP_fast_assign(
		__entry->nr_reclaimed = nr_reclaimed;
		__entry->pages_written = pages_written;
		__entry->ns = ns;
		__entry->origin = origin;
		__entry->depth = depth;
	),

	TP_printk("origin=%s nr_reclaimed=%lu pages_written=%llu depth=%u usecs=%llu",
		  rwb_show_origin(__entry->origin), __entry->nr_reclaimed,
		  __entry->pages_written, __entry->depth, __entry->ns / 1000)
);

/* A sample was below headroom_floor. The callers are in order, innermost first. */
TRACE_EVENT(headroom_low,

	TP_PROTO(u32 origin, u32 layer, unsigned long headroom, unsigned long floor,
		 const unsigned long *callers, u32 nr),

	TP_ARGS(origin, layer, headroom, floor, callers, nr),

	TP_STRUCT__entry(
		__field(unsigned long, headroom)
		__field(unsigned long, floor)
		__field(u32, origin)
		__field(u32, layer)
		__array(unsigned long, caller, RWB_LOW_CALLERS)
	),

	TP_fast_assign(
		u32 i;

		__entry->headroom = headroom;
		__entry->floor = floor;
		__entry->origin = origin;
		__entry->layer = layer;
		for (i = 0; i < RWB_LOW_CALLERS; i++)
			__entry->caller[i] = i < nr ? callers[i] : 0;
	),

	TP_printk("origin=%s layer=%s headroom=%lu floor=%lu stack=%pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS < %pS",
		  rwb_show_origin(__entry->origin), rwb_show_layer(__entry->layer),
		  __entry->headroom, __entry->floor,
		  (void *)__entry->caller[0], (void *)__entry->caller[1],
		  (void *)__entry->caller[2], (void *)__entry->caller[3],
		  (void *)__entry->caller[4], (void *)__entry->caller[5],
		  (void *)__entry->caller[6], (void *)__entry->caller[7],
		  (void *)__entry->caller[8], (void *)__entry->caller[9],
		  (void *)__entry->caller[10], (void *)__entry->caller[11],
		  (void *)__entry->caller[12], (void *)__entry->caller[13],
		  (void *)__entry->caller[14], (void *)__entry->caller[15])
);

/* A worker wrote a window around targets. */
TRACE_EVENT(write_around,

	TP_PROTO(struct inode *inode, u64 start, u32 nr, u32 targets, u32 others, u32 ranges,
		 u64 us),

	TP_ARGS(inode, start, nr, targets, others, ranges, us),

	TP_STRUCT__entry(
		__field(u64, ino)
		__field(u64, start)
		__field(u64, us)
		__field(dev_t, dev)
		__field(u32, nr)
		__field(u32, targets)
		__field(u32, others)
		__field(u32, ranges)
	),

	TP_fast_assign(
		__entry->ino = inode->i_ino;
		__entry->start = start;
		__entry->us = us;
		__entry->dev = inode->i_sb->s_dev;
		__entry->nr = nr;
		__entry->targets = targets;
		__entry->others = others;
		__entry->ranges = ranges;
	),

	TP_printk("dev=%u:%u ino=%llu start=%llu nr=%u targets=%u others=%u ranges=%u usecs=%llu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino, __entry->start,
		  __entry->nr, __entry->targets, __entry->others, __entry->ranges, __entry->us)
);

/* A stall ended. Its parts are printed in microseconds, rounded down. */
TRACE_EVENT(stall,

	TP_PROTO(const struct rwb_stall_end *stall),

	TP_ARGS(stall),

	TP_STRUCT__entry(
		__field(u64, ns)
		__field(u64, began)
		__field(u64, scanned)
		__field(u64, freed)
		__field(u64, cgroup)
		__field(u64, inactive_file)
		__field(u64, inactive_anon)
		__field(u64, dirty)
		__array(u64, parts, RWB_NR_CAUSES)
		__field(u32, origin)
		__field(u32, gfp)
		__field(u32, order)
		__field(u32, nid)
	),

	TP_fast_assign(
		__entry->ns = stall->ns;
		__entry->began = stall->began;
		__entry->scanned = stall->scanned;
		__entry->freed = stall->freed;
		__entry->cgroup = stall->setting.cgroup;
		__entry->inactive_file = stall->setting.inactive_file;
		__entry->inactive_anon = stall->setting.inactive_anon;
		__entry->dirty = stall->setting.dirty;
		memcpy(__entry->parts, stall->parts, sizeof(stall->parts));
		__entry->origin = stall->origin;
		__entry->gfp = stall->gfp;
		__entry->order = stall->order;
		__entry->nid = stall->setting.nid;
	),

	TP_printk("origin=%s usecs=%llu " RWB_CAUSES(RWB_PART)
		  "order=%u gfp=%#x nid=%u cgroup=%llu scanned=%llu freed=%llu inactive_file=%llu inactive_anon=%llu dirty=%llu",
		  rwb_show_origin(__entry->origin), __entry->ns / 1000, RWB_CAUSES(RWB_PART_OF)
		  __entry->order, __entry->gfp, __entry->nid, __entry->cgroup, __entry->scanned,
		  __entry->freed, __entry->inactive_file, __entry->inactive_anon, __entry->dirty)
);

#endif /* RWB_EVENTS_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE events
#include <trace/define_trace.h>

// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for the vmscan tracepoints.
 *
 * Context: task context with preemption enabled, under any locks that the caller of reclaim holds.
 * Only wakeups of kswapd may come from an interrupt. Never sleeps.
 */
#include <linux/swap.h>

#include "probes.h"
#include "entry.h"
#include "events.h"
#include "memory.h"

DEFINE_PER_CPU(unsigned long, rwb_slot);

/* Notes the slot of the current task on this CPU. Preemption is off. */
void rwb_set_slot(unsigned long slot)
{
	__this_cpu_write(rwb_slot, slot);
}

static __always_inline u64 rwb_cpu_ns(void)
{
	return current->se.sum_exec_runtime;
}

#if RWB_HAVE_mm_vmscan_balance_pgdat_end
/*
 * Adds a zone to the figures, and notes whether it has reached its high watermark, and has a free
 * block of the order that kswapd was asked for, as pgdat_balanced() does.
 */
static void rwb_kswapd_zone(struct rwb_kswapd_at *kswapd, struct zone *zone, int highest)
{
	unsigned long free = zone_page_state(zone, NR_FREE_PAGES);
	unsigned long high = high_wmark_pages(zone);
	unsigned int order;
	int type;

	kswapd->free += free;
	kswapd->high += high;
	if (free <= high + zone->lowmem_reserve[highest])
		return;
	kswapd->enough = true;
	/* Like the kernel, this does not take the zone's lock. */
	for (order = kswapd->order; order < NR_PAGE_ORDERS; order++)
		for (type = 0; type < MIGRATE_PCPTYPES; type++)
			if (!list_empty(&zone->free_area[order].free_list[type]))
				kswapd->block = true;
}

static void rwb_kswapd_node(struct rwb_kswapd_at *kswapd, int highest)
{
	struct pglist_data *pgdat = NODE_DATA(kswapd->nid);
	int i;

	highest = min(highest, MAX_NR_ZONES - 1);
	for (i = 0; i <= highest; i++)
		if (managed_zone(pgdat->node_zones + i))
			rwb_kswapd_zone(kswapd, pgdat->node_zones + i, highest);
	kswapd->anon = rwb_node_pages(kswapd->nid, NR_INACTIVE_ANON) +
		       rwb_node_pages(kswapd->nid, NR_ACTIVE_ANON);
	kswapd->shmem = rwb_node_pages(kswapd->nid, NR_SHMEM);
	kswapd->file = rwb_node_pages(kswapd->nid, NR_INACTIVE_FILE) +
		       rwb_node_pages(kswapd->nid, NR_ACTIVE_FILE);
	kswapd->unevictable = rwb_node_pages(kswapd->nid, NR_UNEVICTABLE);
	kswapd->swap_free = max(get_nr_swap_pages(), 0L);
}
#endif

#if RWB_HAVE_mm_vmscan_balance_pgdat_begin
void rwb_probe_mm_vmscan_balance_pgdat_begin(void *data, int nid, int order, int highest_zoneidx)
{
	struct rwb_kswapd_at kswapd = { .cpu_ns = rwb_cpu_ns(), .nid = nid, .order = order };

	RWB_ENTER(at);
	rwb_rs_window_begin(data, &at, RWB_WINDOW_KSWAPD, 0, order);
	rwb_rs_kswapd_begin(data, &at, &kswapd);
}
#endif

#if RWB_HAVE_mm_vmscan_balance_pgdat_end
void rwb_probe_mm_vmscan_balance_pgdat_end(void *data, int nid, int order, int highest_zoneidx,
					   unsigned long nr_reclaimed)
{
	struct rwb_kswapd_at kswapd = { .cpu_ns = rwb_cpu_ns(), .nid = nid, .order = order };

	RWB_ENTER(at);
	rwb_kswapd_node(&kswapd, highest_zoneidx);
	rwb_rs_kswapd_end(data, &at, &kswapd, nr_reclaimed);
	rwb_rs_window_end(data, &at, RWB_WINDOW_KSWAPD, nr_reclaimed);
}
#endif

#if RWB_HAVE_mm_vmscan_direct_reclaim_begin
void rwb_probe_mm_vmscan_direct_reclaim_begin(void *data, gfp_t gfp, int order,
					      struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_window_begin(data, &at, RWB_WINDOW_DIRECT, (__force u32)gfp, order);
}
#endif

#if RWB_HAVE_mm_vmscan_direct_reclaim_end
void rwb_probe_mm_vmscan_direct_reclaim_end(void *data, unsigned long nr_reclaimed,
					    struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_window_end(data, &at, RWB_WINDOW_DIRECT, nr_reclaimed);
}
#endif

#if RWB_HAVE_mm_vmscan_memcg_reclaim_begin
void rwb_probe_mm_vmscan_memcg_reclaim_begin(void *data, gfp_t gfp, int order,
					     struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_window_begin(data, &at, RWB_WINDOW_MEMCG, (__force u32)gfp, order);
}
#endif

#if RWB_HAVE_mm_vmscan_memcg_reclaim_end
void rwb_probe_mm_vmscan_memcg_reclaim_end(void *data, unsigned long nr_reclaimed,
					   struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_window_end(data, &at, RWB_WINDOW_MEMCG, nr_reclaimed);
}
#endif

#if RWB_HAVE_mm_vmscan_memcg_softlimit_reclaim_begin
void rwb_probe_mm_vmscan_memcg_softlimit_reclaim_begin(void *data, gfp_t gfp, int order,
						       struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_window_begin(data, &at, RWB_WINDOW_MEMCG_SOFT, (__force u32)gfp, order);
}
#endif

#if RWB_HAVE_mm_vmscan_memcg_softlimit_reclaim_end
void rwb_probe_mm_vmscan_memcg_softlimit_reclaim_end(void *data, unsigned long nr_reclaimed,
						     struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_window_end(data, &at, RWB_WINDOW_MEMCG_SOFT, nr_reclaimed);
}
#endif

#if RWB_HAVE_mm_vmscan_node_reclaim_begin
void rwb_probe_mm_vmscan_node_reclaim_begin(void *data, int nid, int order, gfp_t gfp)
{
	RWB_ENTER(at);
	rwb_rs_window_begin(data, &at, RWB_WINDOW_NODE, (__force u32)gfp, order);
}
#endif

#if RWB_HAVE_mm_vmscan_node_reclaim_end
void rwb_probe_mm_vmscan_node_reclaim_end(void *data, unsigned long nr_reclaimed,
					  struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_window_end(data, &at, RWB_WINDOW_NODE, nr_reclaimed);
}
#endif

#if RWB_HAVE_mm_vmscan_reclaim_pages
void rwb_probe_mm_vmscan_reclaim_pages(void *data, int nid, unsigned long nr_scanned,
				       unsigned long nr_reclaimed, struct reclaim_stat *stat)
{
	RWB_ENTER(at);
	rwb_rs_pages_end(data, &at, nr_reclaimed);
}
#endif

/* Notes the cgroup that @folio is charged to; id 0 if there is none. */
static __always_inline void rwb_fill_cgroup(struct rwb_folio *f, struct folio *folio)
{
	f->cgroup = 0;
#ifdef CONFIG_MEMCG
	guard(rcu)();
	f->cgroup = rwb_cgroup_id(folio_memcg(folio), &f->flags);
#endif
}

#if RWB_HAVE_mm_vmscan_write_folio
/* The flags of a folio that tell what became of it, its node, and that it is of one page. */
#define RWB_FOLIO_FACTS	(BIT(PG_head) | BIT(PG_swapbacked) | BIT(PG_swapcache) | \
			 BIT(PG_writeback) | NODES_MASK << NODES_PGSHIFT)

/*
 * Returns in one word all that is recorded of a folio of one page, whose flags are @flags, except
 * its cgroup. Returns 0 if the folio is larger, or if the flags do not hold its node.
 */
static __always_inline unsigned long rwb_folio_facts(const struct folio *folio,
						     unsigned long flags)
{
	BUILD_BUG_ON(RWB_FOLIO_FACTS & FOLIO_MAPPING_ANON);
#ifdef NODE_NOT_IN_PAGE_FLAGS
	return 0;
#else
	if (unlikely(flags & BIT(PG_head)))
		return 0;
	return (flags & RWB_FOLIO_FACTS) | ((unsigned long)folio->mapping & FOLIO_MAPPING_ANON);
#endif
}

/*
 * Counts a write that is like the one before, as most are. Nothing else has to be done for it then.
 * Returns RWB_REPEAT_*. Preemption is off.
 */
static __always_inline u32 rwb_repeated_write(struct folio *folio, void *frame)
{
	unsigned long slot = __this_cpu_read(rwb_slot);
	u64 cgroup;

	if (!slot || trace_reclaim_write_enabled() || !rwb_plain_cgroup(folio, &cgroup))
		return RWB_REPEAT_DIFFERS;
	return rwb_rs_repeated_write(slot, rwb_frame_sp(frame), rwb_frame_caller(frame),
				     rwb_folio_facts(folio, READ_ONCE(folio->flags.f)), cgroup,
				     (unsigned long)folio);
}

/*
 * Passes a write to Rust. This is a function of its own because the compiler clears what it has on
 * the stack. Preemption is off.
 */
static noinline void rwb_write(void *data, struct folio *folio, void *frame)
{
	/* The flags are read once, because writeback may end meanwhile. */
	unsigned long flags = READ_ONCE(folio->flags.f);
	const unsigned long swapcache = BIT(PG_swapbacked) | BIT(PG_swapcache);
	struct rwb_folio f;
	struct rwb_at at;

	rwb_fill_at(&at, frame);
	f.facts = rwb_folio_facts(folio, flags);
	f.key = (unsigned long)folio;
	f.nr_pages = folio_nr_pages(folio);
	f.order = folio_order(folio);
	f.nid = folio_nid(folio);
	f.flags = (folio_test_anon(folio) ? RWB_FOLIO_ANON : 0) |
		  (flags & BIT(PG_writeback) ? RWB_FOLIO_WRITEBACK : 0) |
		  ((flags & swapcache) == swapcache ? RWB_FOLIO_SWAPCACHE : 0);
	rwb_fill_cgroup(&f, folio);
	rwb_rs_write(data, &at, &f);
}

void rwb_probe_mm_vmscan_write_folio(void *data, struct folio *folio)
{
	void *frame = __builtin_frame_address(0);
	u32 result;

	guard(preempt_notrace)();
	result = rwb_repeated_write(folio, frame);
	if (!rwb_was_counted(data, result, RWB_REPEATED_WRITES))
		rwb_write(data, folio, frame);
}
#endif

#if RWB_HAVE_mm_vmscan_throttled
void rwb_probe_mm_vmscan_throttled(void *data, int nid, int usec_timeout, int usec_delayed,
				   int reason)
{
	RWB_ENTER(at);
	rwb_rs_throttled(data, &at, max(usec_delayed, 0), reason);
}
#endif

#if RWB_HAVE_mm_vmscan_lru_isolate
void rwb_probe_mm_vmscan_lru_isolate(void *data, int highest_zoneidx, int order,
				     unsigned long nr_requested, unsigned long nr_scanned,
				     unsigned long nr_skipped, unsigned long nr_taken, int lru)
{
	/* Folios of an active list are isolated to be deactivated, not to be freed. */
	if (is_active_lru(lru))
		return;

	RWB_ENTER(at);
	if (current_is_kswapd())
		at.flags |= RWB_AT_KSWAPD;
	rwb_rs_isolated(data, &at, nr_scanned, nr_taken);
}
#endif

#if RWB_HAVE_mm_vmscan_lru_shrink_inactive
static noinline void rwb_shrunk(void *data, int nid, unsigned long nr_reclaimed,
				const struct reclaim_stat *stat, int file)
{
	unsigned int writeback = stat->nr_writeback + stat->nr_immediate;
	struct rwb_shrunk shrunk = {
		.nid = nid,
		.reclaimed = nr_reclaimed,
		/* In a list of files, the kernel counts those under writeback as dirty, too. */
		.dirty = stat->nr_dirty - (file ? min(writeback, stat->nr_dirty) : 0),
		.writeback = writeback,
		.activated = stat->nr_activate[0] + stat->nr_activate[1],
		.referenced = stat->nr_ref_keep,
		.mapped = stat->nr_unmap_fail,
	};

	RWB_ENTER(at);
	rwb_rs_shrunk(data, &at, &shrunk);
}

void rwb_probe_mm_vmscan_lru_shrink_inactive(void *data, int nid, unsigned long nr_scanned,
					     unsigned long nr_reclaimed,
					     struct reclaim_stat *stat, int priority, int file)
{
	if (current_is_kswapd())
		rwb_shrunk(data, nid, nr_reclaimed, stat, file);
}
#endif

#if RWB_HAVE_mm_vmscan_kswapd_sleep
void rwb_probe_mm_vmscan_kswapd_sleep(void *data, int nid)
{
	RWB_ENTER(at);
	rwb_rs_kswapd_sleep(data, &at, nid, rwb_cpu_ns());
}
#endif

#if RWB_HAVE_mm_vmscan_wakeup_kswapd
void rwb_probe_mm_vmscan_wakeup_kswapd(void *data, int nid, int zid, int order, gfp_t gfp_flags)
{
	/* Interrupts allocate, too, and must not wake kswapd inside the handler. */
	guard(irqsave)();
	RWB_ENTER(at);
	rwb_rs_kswapd_woken(data, &at, nid, order);
}
#endif

/* This is SHRINK_BATCH of mm/shrinker.c. */
#define RWB_SHRINK_BATCH	128L

#if RWB_HAVE_mm_shrink_slab_start
void rwb_probe_mm_shrink_slab_start(void *data, struct shrinker *shr, struct shrink_control *sc,
				    long nr_objects_to_shrink, unsigned long cache_items,
				    unsigned long long delta, unsigned long total_scan,
				    int priority, struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_shrink_start(data, &at, (unsigned long)sc, (unsigned long)shr, delta, total_scan,
			    min(shr->batch ?: RWB_SHRINK_BATCH, (long)cache_items));
}
#endif

#if RWB_HAVE_mm_shrink_slab_end
void rwb_probe_mm_shrink_slab_end(void *data, struct shrinker *shr, int nid, int shrinker_retval,
				  long unused_scan_cnt, long new_scan_cnt, long total_scan,
				  struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	/* A shrinker may scan more than it was asked for. Then @total_scan is negative. */
	rwb_rs_shrink_end(data, &at, total_scan, max(shrinker_retval, 0));
}
#endif

const struct rwb_entry rwb_vmscan_entries[] = {
	RWB_ROW(mm_vmscan_balance_pgdat_begin),
	RWB_ROW(mm_vmscan_balance_pgdat_end),
	RWB_ROW(mm_vmscan_direct_reclaim_begin),
	RWB_ROW(mm_vmscan_direct_reclaim_end),
	RWB_ROW(mm_vmscan_memcg_reclaim_begin),
	RWB_ROW(mm_vmscan_memcg_reclaim_end),
	RWB_ROW(mm_vmscan_memcg_softlimit_reclaim_begin),
	RWB_ROW(mm_vmscan_memcg_softlimit_reclaim_end),
	RWB_ROW(mm_vmscan_node_reclaim_begin),
	RWB_ROW(mm_vmscan_node_reclaim_end),
	RWB_ROW(mm_vmscan_reclaim_pages),
	RWB_ROW(mm_vmscan_write_folio),
	RWB_ROW(mm_vmscan_throttled),
	RWB_ROW(mm_vmscan_lru_isolate),
	RWB_ROW(mm_vmscan_lru_shrink_inactive),
	RWB_ROW(mm_vmscan_kswapd_sleep),
	RWB_ROW(mm_vmscan_wakeup_kswapd),
	RWB_ROW(mm_shrink_slab_start),
	RWB_ROW(mm_shrink_slab_end),
	{ }
};

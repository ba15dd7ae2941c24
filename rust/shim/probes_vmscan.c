// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for the vmscan tracepoints.
 *
 * Context: task context with preemption enabled, sometimes under locks that
 * reclaim is entered with; never sleeps.
 */
#include "probes.h"
#include "entry.h"

#if RWB_HAVE_mm_vmscan_balance_pgdat_begin
void rwb_probe_mm_vmscan_balance_pgdat_begin(void *data, int nid, int order, int highest_zoneidx)
{
	RWB_ENTER(at);
	rwb_rs_window_begin(data, &at, RWB_WINDOW_KSWAPD);
}
#endif

#if RWB_HAVE_mm_vmscan_balance_pgdat_end
void rwb_probe_mm_vmscan_balance_pgdat_end(void *data, int nid, int order, int highest_zoneidx,
					   unsigned long nr_reclaimed)
{
	RWB_ENTER(at);
	rwb_rs_window_end(data, &at, RWB_WINDOW_KSWAPD, nr_reclaimed);
}
#endif

#if RWB_HAVE_mm_vmscan_direct_reclaim_begin
void rwb_probe_mm_vmscan_direct_reclaim_begin(void *data, gfp_t gfp, int order,
					      struct mem_cgroup *memcg)
{
	RWB_ENTER(at);
	rwb_rs_window_begin(data, &at, RWB_WINDOW_DIRECT);
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
	rwb_rs_window_begin(data, &at, RWB_WINDOW_MEMCG);
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
	rwb_rs_window_begin(data, &at, RWB_WINDOW_MEMCG_SOFT);
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
	rwb_rs_window_begin(data, &at, RWB_WINDOW_NODE);
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

/* Notes the cgroup that @folio is charged to; id 0 if none. */
static __always_inline void rwb_fill_cgroup(struct rwb_folio *f, struct folio *folio)
{
	f->cgroup = 0;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	guard(rcu)();
	memcg = folio_memcg(folio);
	if (memcg) {
		f->cgroup = cgroup_id(memcg->css.cgroup);
		if (memcg->css.cgroup->root != &cgrp_dfl_root)
			f->flags |= RWB_FOLIO_CGROUP_V1;
	}
#endif
}

#if RWB_HAVE_mm_vmscan_write_folio
void rwb_probe_mm_vmscan_write_folio(void *data, struct folio *folio)
{
	struct rwb_folio f;

	RWB_ENTER(at);

	f.folio = (unsigned long)folio;
	f.nr_pages = folio_nr_pages(folio);
	f.order = folio_order(folio);
	f.nid = folio_nid(folio);
	f.flags = (folio_test_anon(folio) ? RWB_FOLIO_ANON : 0) |
		  (folio_test_writeback(folio) ? RWB_FOLIO_WRITEBACK : 0) |
		  (folio_test_swapcache(folio) ? RWB_FOLIO_SWAPCACHE : 0);
	rwb_fill_cgroup(&f, folio);
	rwb_rs_write(data, &at, &f);
}
#endif

#if RWB_HAVE_mm_vmscan_throttled
void rwb_probe_mm_vmscan_throttled(void *data, int nid, int usec_timeout, int usec_delayed,
				   int reason)
{
	RWB_ENTER(at);
	if (reason == VMSCAN_THROTTLE_WRITEBACK)
		rwb_rs_throttled(data, &at, max(usec_delayed, 0));
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
	{ }
};

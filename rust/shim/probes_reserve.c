// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for the reserves below the min watermark: for pages that are taken from them,
 * for tasks that wait for them, and for packets that are dropped because of them. All events except
 * the last one come with the patches 0003 and 0004, see qemu/patches/README.
 *
 * Context: any that allocates; for the waits, a task; for kfree_skb, any that drops a packet.
 */
#include "probes.h"
#include "entry.h"

#if RWB_HAVE_mm_page_alloc_pfmemalloc
void rwb_probe_mm_page_alloc_pfmemalloc(void *data, struct page *page, unsigned int order,
					gfp_t gfp_flags)
{
	struct zone *zone = page_zone(page);
	struct rwb_page taken = {
		.nid = page_to_nid(page),
		.zid = page_zonenum(page),
		.order = order,
		.free = zone_page_state(zone, NR_FREE_PAGES),
		.min = min_wmark_pages(zone),
	};

	RWB_ENTER(at);
	rwb_rs_reserve_taken(data, &at, &taken);
}
#endif

#if RWB_HAVE_mm_vmscan_pfmemalloc_wait_begin
void rwb_probe_mm_vmscan_pfmemalloc_wait_begin(void *data, int nid, gfp_t gfp_flags)
{
	RWB_ENTER(at);
	rwb_rs_reserve_wait(data, &at, nid);
}
#endif

#if RWB_HAVE_mm_vmscan_pfmemalloc_wait_end
void rwb_probe_mm_vmscan_pfmemalloc_wait_end(void *data, int nid, int err)
{
	RWB_ENTER(at);
	rwb_rs_reserve_woken(data, &at, err);
}
#endif

#if RWB_HAVE_kfree_skb
void rwb_probe_kfree_skb(void *data, struct sk_buff *skb, void *location,
			 enum skb_drop_reason reason, const struct sock *rx_sk)
{
	if (likely(reason != SKB_DROP_REASON_PFMEMALLOC))
		return;

	RWB_ENTER(at);
	rwb_rs_skb_dropped(data, &at, (unsigned long)location);
}
#endif

const struct rwb_entry rwb_reserve_entries[] = {
	RWB_ROW(mm_page_alloc_pfmemalloc),
	RWB_ROW(mm_vmscan_pfmemalloc_wait_begin),
	RWB_ROW(mm_vmscan_pfmemalloc_wait_end),
	RWB_ROW(kfree_skb),
	{ }
};

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The probe entries and the kernel headers that type them. Included by the
 * entries themselves and by check_event.c, which asks the compiler, one event
 * at a time, whether this kernel's prototype is still the one used here.
 */
#ifndef RWB_PROBES_H
#define RWB_PROBES_H

#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/nbd.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/version.h>

#include <trace/events/block.h>
#include <trace/events/nbd.h>
#include <trace/events/net.h>
#include <trace/events/vmscan.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#error "reclaimwb needs Linux 7.2 or newer: build it against such a kernel (KDIR=)"
#endif

void rwb_probe_mm_vmscan_balance_pgdat_begin(void *data, int nid, int order, int highest_zoneidx);
void rwb_probe_mm_vmscan_balance_pgdat_end(void *data, int nid, int order, int highest_zoneidx,
					   unsigned long nr_reclaimed);
void rwb_probe_mm_vmscan_direct_reclaim_begin(void *data, gfp_t gfp, int order,
					      struct mem_cgroup *memcg);
void rwb_probe_mm_vmscan_direct_reclaim_end(void *data, unsigned long nr_reclaimed,
					    struct mem_cgroup *memcg);
void rwb_probe_mm_vmscan_memcg_reclaim_begin(void *data, gfp_t gfp, int order,
					     struct mem_cgroup *memcg);
void rwb_probe_mm_vmscan_memcg_reclaim_end(void *data, unsigned long nr_reclaimed,
					   struct mem_cgroup *memcg);
void rwb_probe_mm_vmscan_memcg_softlimit_reclaim_begin(void *data, gfp_t gfp, int order,
						       struct mem_cgroup *memcg);
void rwb_probe_mm_vmscan_memcg_softlimit_reclaim_end(void *data, unsigned long nr_reclaimed,
						     struct mem_cgroup *memcg);
void rwb_probe_mm_vmscan_node_reclaim_begin(void *data, int nid, int order, gfp_t gfp);
void rwb_probe_mm_vmscan_node_reclaim_end(void *data, unsigned long nr_reclaimed,
					  struct mem_cgroup *memcg);
void rwb_probe_mm_vmscan_reclaim_pages(void *data, int nid, unsigned long nr_scanned,
				       unsigned long nr_reclaimed, struct reclaim_stat *stat);
void rwb_probe_mm_vmscan_write_folio(void *data, struct folio *folio);
void rwb_probe_mm_vmscan_throttled(void *data, int nid, int usec_timeout, int usec_delayed,
				   int reason);
void rwb_probe_block_bio_queue(void *data, struct bio *bio);
#ifdef RWB_TEST_EVENTS
/* Test build: a prototype that no kernel has, to prove that it is noticed. */
void rwb_probe_nbd_send_request(void *data, struct bio *bio);
#else
void rwb_probe_nbd_send_request(void *data, struct nbd_request *nbd_request, int index,
				struct request *rq);
#endif
void rwb_probe_net_dev_start_xmit(void *data, const struct sk_buff *skb,
				  const struct net_device *dev);

#endif /* RWB_PROBES_H */

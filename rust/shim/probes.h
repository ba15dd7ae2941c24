/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The probe entries, and the kernel headers that have their types. The entries themselves include
 * this file, and so does check_event.c, with which the compiler checks whether this kernel's
 * prototypes are still those used here.
 */
#ifndef RWB_PROBES_H
#define RWB_PROBES_H

#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/nbd.h>
#include <linux/netdevice.h>
#include <linux/shrinker.h>
#include <linux/skbuff.h>
#include <linux/version.h>
#include <linux/writeback.h>

#include <trace/events/block.h>
#ifdef CONFIG_CGROUPS
#include <trace/events/cgroup.h>
#endif
#include <trace/events/filemap.h>
#include <trace/events/kmem.h>
#include <trace/events/lock.h>
#include <trace/events/nbd.h>
#include <trace/events/net.h>
#include <trace/events/sched.h>
#include <trace/events/skb.h>
#include <trace/events/tlb.h>
#include <trace/events/vmscan.h>
#include <trace/events/writeback.h>

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
void rwb_probe_mm_vmscan_lru_isolate(void *data, int highest_zoneidx, int order,
				     unsigned long nr_requested, unsigned long nr_scanned,
				     unsigned long nr_skipped, unsigned long nr_taken, int lru);
void rwb_probe_mm_vmscan_lru_shrink_inactive(void *data, int nid, unsigned long nr_scanned,
					     unsigned long nr_reclaimed,
					     struct reclaim_stat *stat, int priority, int file);
void rwb_probe_mm_vmscan_kswapd_sleep(void *data, int nid);
void rwb_probe_mm_vmscan_wakeup_kswapd(void *data, int nid, int zid, int order, gfp_t gfp_flags);
void rwb_probe_mm_shrink_slab_start(void *data, struct shrinker *shr, struct shrink_control *sc,
				    long nr_objects_to_shrink, unsigned long cache_items,
				    unsigned long long delta, unsigned long total_scan,
				    int priority, struct mem_cgroup *memcg);
void rwb_probe_mm_shrink_slab_end(void *data, struct shrinker *shr, int nid, int shrinker_retval,
				  long unused_scan_cnt, long new_scan_cnt, long total_scan,
				  struct mem_cgroup *memcg);
void rwb_probe_sched_switch(void *data, bool preempt, struct task_struct *prev,
			    struct task_struct *next, unsigned int prev_state);
void rwb_probe_mm_filemap_delete_from_page_cache(void *data, struct folio *folio);
void rwb_probe_mm_filemap_add_to_page_cache(void *data, struct folio *folio);
void rwb_probe_mm_page_alloc(void *data, struct page *page, unsigned int order, gfp_t gfp_flags,
			     int migratetype);
void rwb_probe_tlb_flush(void *data, int reason, unsigned long pages);
void rwb_probe_contention_begin(void *data, void *lock, unsigned int flags);
void rwb_probe_contention_end(void *data, void *lock, int ret);
void rwb_probe_cgroup_rmdir(void *data, struct cgroup *cgrp, const char *path);
void rwb_probe_balance_dirty_pages(void *data, struct bdi_writeback *wb,
				   struct dirty_throttle_control *dtc,
				   unsigned long dirty_ratelimit, unsigned long task_ratelimit,
				   unsigned long dirtied, unsigned long period, long pause,
				   unsigned long start_time);
void rwb_probe_block_rq_tag_wait(void *data, struct request_queue *q, struct blk_mq_hw_ctx *hctx,
				 bool is_sched_tag, unsigned int alloc_flags);
void rwb_probe_block_bio_queue(void *data, struct bio *bio);
void rwb_probe_block_bio_complete(void *data, struct request_queue *q, struct bio *bio);
#ifdef RWB_TEST_EVENTS
/* The test build has a prototype that no kernel has, to prove that this is noticed. */
void rwb_probe_nbd_send_request(void *data, struct bio *bio);
#else
void rwb_probe_nbd_send_request(void *data, struct nbd_request *nbd_request, int index,
				struct request *rq);
#endif
void rwb_probe_nbd_payload_sent(void *data, struct request *req, u64 handle);
void rwb_probe_nbd_header_sent(void *data, struct request *req, u64 handle);
void rwb_probe_nbd_header_received(void *data, struct request *req, u64 handle);
void rwb_probe_block_rq_requeue(void *data, struct request *rq);
void rwb_probe_block_rq_complete(void *data, struct request *rq, blk_status_t error,
				 unsigned int nr_bytes);
void rwb_probe_net_dev_start_xmit(void *data, const struct sk_buff *skb,
				  const struct net_device *dev);
void rwb_probe_mm_page_alloc_pfmemalloc(void *data, struct page *page, unsigned int order,
					gfp_t gfp_flags);
void rwb_probe_mm_vmscan_pfmemalloc_wait_begin(void *data, int nid, gfp_t gfp_flags);
void rwb_probe_mm_vmscan_pfmemalloc_wait_end(void *data, int nid, int err);
void rwb_probe_kfree_skb(void *data, struct sk_buff *skb, void *location,
			 enum skb_drop_reason reason, const struct sock *rx_sk);

#endif /* RWB_PROBES_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries below reclaim: block, network; and the table that finds an entry by
 * its event's name. (NBD: probes_nbd.c)
 *
 * Context: any. block_bio_queue and net_dev_start_xmit also fire in softirq on
 * top of a reclaimer, which struct rwb_at tells apart. These events are hot:
 * each entry leaves at the first test that says "not reclaim".
 */
#include <linux/swap.h>
#include <linux/swapops.h>

#include "probes.h"
#include "entry.h"
#include "swap_io.h"

#if RWB_HAVE_block_bio_queue
/* A write that may be our worker's; not those that a stacked driver makes of it. */
static void rwb_worker_bio(void *data, struct bio *bio)
{
	if (likely(!(current->flags & PF_WQ_WORKER)) || current->bio_list ||
	    bio_op(bio) != REQ_OP_WRITE || bio->bi_opf & REQ_META)
		return;

	RWB_ENTER(at);
	rwb_rs_worker_bio(data, &at, bio->bi_iter.bi_size >> PAGE_SHIFT);
}

/* Made by swap itself: it lies beside the pages in it. Clones are others'. */
static bool rwb_own_swap_bio(const struct bio *bio)
{
#if RWB_SWAP_IOCB
	return bio->bi_io_vec == container_of(bio, struct swap_iocb, bio)->bvecs;
#else
	return !current->bio_list;
#endif
}

static unsigned long rwb_bio_cgroup(const struct bio *bio)
{
#ifdef CONFIG_BLK_CGROUP
	return (unsigned long)bio->bi_blkg;
#else
	return 0;
#endif
}

void rwb_probe_block_bio_queue(void *data, struct bio *bio)
{
	struct page *last = NULL;
	struct bvec_iter iter;
	struct rwb_bio swap;
	struct bio_vec bv;

	/* REQ_SWAP is set on swap writes alone, and kept by clones. */
	if (!(bio->bi_opf & REQ_SWAP)) {
		rwb_worker_bio(data, bio);
		return;
	}

	RWB_ENTER(at);
	/*
	 * The folio that made swap_add_folio() submit is the last one of the
	 * bio (mm/page_io.c). Swap sets no bi_vcnt: go by the iterator.
	 */
	swap.folios = 0;
	bio_for_each_bvec(bv, bio, iter) {
		last = bv.bv_page;
		swap.folios++;
	}
	swap.key = (unsigned long)bio;
	swap.last_folio = last ? (unsigned long)page_folio(last) : 0;
	swap.cgroup = rwb_bio_cgroup(bio);
	swap.start = bio->bi_iter.bi_sector;
	swap.device = bio->bi_bdev->bd_dev;
	swap.bytes = bio->bi_iter.bi_size;
	swap.room = bio->bi_max_vecs;
	swap.swap = last && folio_test_swapcache(page_folio(last)) ?
		    swp_type(page_folio(last)->swap) + 1 : 0;
	swap.flags = (bdev_synchronous(bio->bi_bdev) ? RWB_BIO_SYNC : 0) |
		     (rwb_own_swap_bio(bio) ? 0 : RWB_BIO_STACKED) |
		     (bdev_get_queue(bio->bi_bdev)->mq_ops ? RWB_BIO_UNSEEN : 0);
	rwb_rs_bio(data, &at, &swap);
}
#endif

#if RWB_HAVE_block_bio_complete
static void rwb_count_folio(struct rwb_swap_end *end, struct folio *folio)
{
	u32 pages = folio_nr_pages(folio);

	if (folio_test_anon(folio)) {
		end->anon_folios++;
		end->anon_pages += pages;
	} else {
		end->shmem_folios++;
		end->shmem_pages += pages;
	}
}

/* What is in a bio that failed: its folios are under writeback still. */
static void rwb_failed_folios(struct rwb_swap_end *end, struct bio *bio)
{
	int i;

#if RWB_SWAP_IOCB
	struct swap_iocb *sio = container_of(bio, struct swap_iocb, bio);

	for (i = 0; i < sio->nr_bvecs; i++)
		rwb_count_folio(end, page_folio(sio->bvecs[i].bv_page));
#else
	for (i = 0; i < bio->bi_vcnt; i++)
		rwb_count_folio(end, page_folio(bio->bi_io_vec[i].bv_page));
#endif
}

static bool rwb_own_done(const struct bio *bio)
{
#if RWB_SWAP_IOCB
	return rwb_own_swap_bio(bio);
#else
	return !bio_flagged(bio, BIO_CLONED);
#endif
}

void rwb_probe_block_bio_complete(void *data, struct request_queue *q, struct bio *bio)
{
	struct rwb_swap_end end = {};

	if (likely(!(bio->bi_opf & REQ_SWAP)) || !rwb_own_done(bio))
		return;
	end.failed = bio->bi_status != BLK_STS_OK;
	end.sync = bdev_synchronous(bio->bi_bdev);
	/* Who submitted it sees that, and has it in no table. */
	if (end.sync && !end.failed)
		return;

	/* What is completed in a task must not be interrupted by what is in softirq. */
	guard(irqsave)();
	RWB_ENTER(at);
	end.bio = (unsigned long)bio;
	end.device = bio->bi_bdev->bd_dev;
	if (unlikely(end.failed)) {
		rwb_failed_folios(&end, bio);
		strscpy(end.name, bio->bi_bdev->bd_disk->disk_name, sizeof(end.name));
	}
	rwb_rs_bio_end(data, &at, &end);
}
#endif

#if RWB_HAVE_block_rq_tag_wait
void rwb_probe_block_rq_tag_wait(void *data, struct request_queue *q, struct blk_mq_hw_ctx *hctx,
				 bool is_sched_tag, unsigned int alloc_flags)
{
	RWB_ENTER(at);
	rwb_rs_tag_wait(data, &at);
}
#endif

#if RWB_HAVE_net_dev_start_xmit
void rwb_probe_net_dev_start_xmit(void *data, const struct sk_buff *skb,
				  const struct net_device *dev)
{
	/* Every reclaim window runs with PF_MEMALLOC by the time it does I/O. */
	if (likely(!(current->flags & PF_MEMALLOC)))
		return;

	RWB_ENTER(at);
	rwb_rs_net(data, &at);
}
#endif

const struct rwb_entry rwb_io_entries[] = {
	RWB_ROW(block_bio_queue),
	RWB_ROW(block_bio_complete),
	RWB_ROW(block_rq_tag_wait),
	RWB_ROW(net_dev_start_xmit),
	{ }
};

static const struct rwb_entry *rwb_find(const struct rwb_entry *e, const char *event)
{
	for (; e->event; e++)
		if (!strcmp(e->event, event))
			return e;
	return NULL;
}

/*
 * The probe entry for @event, or NULL: then @known says whether there is one
 * whose prototype differs from this kernel's (true) or none at all (false).
 */
void *rwb_probe_func(const char *event, bool *known)
{
	const struct rwb_entry *e = rwb_find(rwb_vmscan_entries, event);

	if (!e)
		e = rwb_find(rwb_io_entries, event);
	if (!e)
		e = rwb_find(rwb_wait_entries, event);
	if (!e)
		e = rwb_find(rwb_cache_entries, event);
	if (!e)
		e = rwb_find(rwb_cgroup_entries, event);
	if (!e)
		e = rwb_find(rwb_ext4_entries, event);
	if (!e)
		e = rwb_find(rwb_reserve_entries, event);
	if (!e)
		e = rwb_find(rwb_nbd_entries, event);
	*known = e;
	return e ? e->func : NULL;
}

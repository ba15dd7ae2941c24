// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for the block layer and the network, below reclaim, and the function that
 * finds an entry by the name of its event. (probes_nbd.c has those for NBD.)
 *
 * Context: any. block_bio_queue and net_dev_start_xmit also fire in softirq on top of a reclaimer,
 * which struct rwb_at tells apart. These events are hot, so each entry returns at the first test
 * that shows that the event is not of reclaim.
 */
#include <linux/swap.h>
#include <linux/swapops.h>

#include "probes.h"
#include "entry.h"
#include "compat.h"
#include "sample.h"

bool rwb_reads_followed;

/* The number of reads of swap that are looked at closely now. */
static atomic_t rwb_reads_open = ATOMIC_INIT(0);

void rwb_follow_reads(bool follow)
{
	WRITE_ONCE(rwb_reads_followed, follow);
}

void rwb_read_opened(void)
{
	atomic_inc(&rwb_reads_open);
}

void rwb_read_closed(void)
{
	atomic_dec(&rwb_reads_open);
}

#if RWB_HAVE_block_bio_queue
/*
 * Handles a write of a worker, which may be one of ours. Writes that a stacked driver makes from it
 * are left out.
 */
static noinline void rwb_worker_bio(void *data, struct bio *bio)
{
	if (current->bio_list || bio_op(bio) != REQ_OP_WRITE || bio->bi_opf & REQ_META)
		return;

	RWB_ENTER(at);
	rwb_rs_worker_bio(data, &at, bio->bi_iter.bi_size >> PAGE_SHIFT);
}

/*
 * Whether swap itself made the bio. Such a bio is beside its vector in memory. Drivers make clones
 * of it.
 */
static bool rwb_own_swap_bio(const struct bio *bio)
{
#if RWB_SWAP_IOCB
	return bio->bi_io_vec == container_of(bio, struct swap_iocb, bio)->bvecs;
#else
	return !current->bio_list;
#endif
}

static __always_inline u32 rwb_swap_area(const struct folio *folio)
{
	return folio_test_swapcache(folio) ? swp_type(folio->swap) + 1 : 0;
}

/*
 * Returns in one word all that is recorded of a swap write of one page to a device that writes at
 * once; 0 if the bio is not such a write.
 */
static __always_inline unsigned long rwb_bio_facts(const struct bio *bio)
{
	if (bio->bi_iter.bi_size != PAGE_SIZE || bio->bi_iter.bi_idx ||
	    !bdev_synchronous(bio->bi_bdev) || !rwb_own_swap_bio(bio))
		return 0;
	return (unsigned long)bio->bi_bdev->bd_dev << 32 |
	       rwb_swap_area(page_folio(bio->bi_io_vec->bv_page));
}

/*
 * Counts a bio that is like the one before, as most are. Returns RWB_REPEAT_*. Preemption is off.
 */
static __always_inline u32 rwb_repeated_bio(const struct bio *bio, void *frame)
{
	unsigned long slot = __this_cpu_read(rwb_slot);
	unsigned long facts = rwb_bio_facts(bio);

	if (!slot || !facts)
		return RWB_REPEAT_DIFFERS;
	return rwb_rs_repeated_bio(slot, rwb_frame_sp(frame), rwb_frame_caller(frame), facts,
				   (unsigned long)page_folio(bio->bi_io_vec->bv_page));
}

/*
 * Whether the bio reads into a folio that swap has allocated for a read. What a driver reads for it
 * from another device, as zram does, is left out.
 */
static __always_inline bool rwb_reads_swap(const struct bio *bio)
{
	const unsigned long is = BIT(PG_locked) | BIT(PG_swapbacked) | BIT(PG_swapcache);
	const struct folio *folio;

	if (current->bio_list || !bio->bi_iter.bi_size || !bio->bi_io_vec)
		return false;
	folio = page_folio(bio->bi_io_vec[bio->bi_iter.bi_idx].bv_page);
	return (folio->flags.f & (is | BIT(PG_uptodate))) == is;
}

/*
 * Whether a read of swap is to be passed to Rust, while the function that reads is not probed,
 * because all devices so far have read when they are told to. Only a few of these reads are looked
 * at closely. If a read is from another device, Rust learns that the function has to be probed.
 */
static __always_inline bool rwb_swap_read_due(const struct bio *bio)
{
	return !bdev_synchronous(bio->bi_bdev) ||
	       (!rwb_in_memstall() && rwb_sample_due(rwb_swapins, 1));
}

static noinline void rwb_swap_read(void *data, const struct bio *bio)
{
	bool sync = bdev_synchronous(bio->bi_bdev);

	RWB_ENTER(at);
	rwb_rs_swap_read(data, &at, (unsigned long)bio,
			 (unsigned long)page_folio(bio->bi_io_vec[bio->bi_iter.bi_idx].bv_page),
			 sync ? rwb_swapins_taken() : 0, sync);
}

static unsigned long rwb_bio_cgroup(const struct bio *bio)
{
#ifdef CONFIG_BLK_CGROUP
	return (unsigned long)bio->bi_blkg;
#else
	return 0;
#endif
}

/*
 * Passes a swap write to Rust. This is a function of its own because the compiler clears what it
 * has on the stack. Preemption is off.
 */
static noinline void rwb_swap_write(void *data, struct bio *bio, void *frame)
{
	struct page *last = NULL;
	struct bvec_iter iter;
	struct rwb_bio swap;
	struct bio_vec bv;
	struct rwb_at at;

	rwb_fill_at(&at, frame);
	/*
	 * If swap_add_folio() submits the bio at once, the folio that it added is the last one
	 * (mm/page_io.c). Swap does not set bi_vcnt, so this uses the iterator.
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
	swap.swap = last ? rwb_swap_area(page_folio(last)) : 0;
	swap.facts = rwb_bio_facts(bio);
	swap.flags = (bdev_synchronous(bio->bi_bdev) ? RWB_BIO_SYNC : 0) |
		     (rwb_own_swap_bio(bio) ? 0 : RWB_BIO_STACKED) |
		     (bdev_get_queue(bio->bi_bdev)->mq_ops ? RWB_BIO_UNSEEN : 0);
	rwb_rs_bio(data, &at, &swap);
}

void rwb_probe_block_bio_queue(void *data, struct bio *bio)
{
	void *frame = __builtin_frame_address(0);
	u32 result;

	/* REQ_SWAP is set only on swap writes, and clones keep it. */
	if (!(bio->bi_opf & REQ_SWAP)) {
		if (bio_op(bio) == REQ_OP_READ) {
			if (READ_ONCE(rwb_reads_followed) && rwb_reads_swap(bio) &&
			    unlikely(rwb_swap_read_due(bio)))
				rwb_swap_read(data, bio);
		} else if (unlikely(current->flags & PF_WQ_WORKER)) {
			rwb_worker_bio(data, bio);
		}
		return;
	}

	guard(preempt_notrace)();
	result = rwb_repeated_bio(bio, frame);
	if (!rwb_was_counted(data, result, RWB_REPEATED_BIOS))
		rwb_swap_write(data, bio, frame);
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

/* Counts the folios in a bio that failed. They are still under writeback. */
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

/* Handles the end of a read, which may be one that is looked at closely. */
static noinline void rwb_swap_read_done(void *data, const struct bio *bio)
{
	if (!bdev_synchronous(bio->bi_bdev))
		return;

	guard(irqsave)();
	RWB_ENTER(at);
	rwb_rs_swap_read_done(data, &at, (unsigned long)bio);
}

/*
 * Handles the end of a swap write that ends later than it is submitted, or that failed. This is a
 * function of its own for the same reason as rwb_swap_write().
 */
static noinline void rwb_swap_write_done(void *data, struct bio *bio)
{
	struct rwb_swap_end end = {
		.failed = bio->bi_status != BLK_STS_OK,
		.sync = bdev_synchronous(bio->bi_bdev),
	};

	if (!rwb_own_done(bio))
		return;

	/* A write that ends in a softirq must not interrupt the handling of one in a task. */
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

void rwb_probe_block_bio_complete(void *data, struct request_queue *q, struct bio *bio)
{
	if (likely(!(bio->bi_opf & REQ_SWAP))) {
		if (unlikely(atomic_read(&rwb_reads_open)) && bio_op(bio) == REQ_OP_READ)
			rwb_swap_read_done(data, bio);
		return;
	}
	/*
	 * If a synchronous device has written the bio, the task that submitted it sees that, and
	 * the bio is in no table.
	 */
	if (unlikely(bio->bi_status != BLK_STS_OK || !bdev_synchronous(bio->bi_bdev)))
		rwb_swap_write_done(data, bio);
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
/* Counts a packet that is like one before, as most are. Returns RWB_REPEAT_*. Preemption is off. */
static __always_inline u32 rwb_repeated_packet(void *frame)
{
	unsigned long slot = __this_cpu_read(rwb_slot);

	/* On some architectures a softirq uses the stack of the task. */
	if (!slot || !in_task())
		return RWB_REPEAT_DIFFERS;
	return rwb_rs_repeated_packet(slot, rwb_frame_sp(frame), rwb_frame_caller(frame));
}

/*
 * Handles a packet of a task that may reclaim. This is a function of its own because most packets
 * are not of such a task, and return before they need a register. @frame is that of the probe.
 */
static noinline void rwb_packet(void *data, void *frame)
{
	struct rwb_at at;
	u32 result;

	guard(preempt_notrace)();
	result = rwb_repeated_packet(frame);
	if (rwb_was_counted(data, result, RWB_REPEATED_PACKETS))
		return;
	rwb_fill_at(&at, frame);
	rwb_rs_net(data, &at);
}

void rwb_probe_net_dev_start_xmit(void *data, const struct sk_buff *skb,
				  const struct net_device *dev)
{
	/* Every task in a reclaim window has PF_MEMALLOC by the time it does I/O. */
	if (unlikely(current->flags & PF_MEMALLOC))
		rwb_packet(data, __builtin_frame_address(0));
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
 * Returns the probe entry for @event; NULL if there is none that this kernel can call. @known says
 * whether there is an entry, whose prototype then differs from this kernel's.
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

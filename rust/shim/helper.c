// SPDX-License-Identifier: GPL-2.0
/*
 * The writeback helper's ends: the callbacks that reclaim calls, and wrappers
 * of what its worker needs of folios, inodes, superblocks and zones.
 *
 * Context of the callbacks: see struct reclaim_writeback_ops; they never sleep.
 * Each wrapper's context is that of what it wraps.
 */
#include <linux/backing-dev.h>
#include <linux/blk-mq.h>
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/page_counter.h>
#include <linux/pagemap.h>
#include <linux/folio_batch.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swap_ops.h>
#include <linux/swapops.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

/* The test build also stands for one on a kernel without the patch. */
#if __has_include("linux/reclaim_writeback.h") && !defined(RWB_TEST_EVENTS)
#include <linux/reclaim_writeback.h>
#define RWB_HAVE_HELPER 1
#endif

#include "entry.h"
#include "memory.h"

#ifdef RWB_HAVE_HELPER

static u32 rwb_target_flags(struct inode *inode, struct address_space *mapping, unsigned int flags)
{
	u32 f = 0;

	if (S_ISBLK(inode->i_mode))
		f |= RWB_TARGET_BLOCKDEV;
	if (IS_SWAPFILE(inode))
		f |= RWB_TARGET_SWAPFILE;
	if (mapping_writeback_may_deadlock_on_reclaim(mapping))
		f |= RWB_TARGET_DEADLOCK;
	if (!mapping_can_writeback(mapping))
		f |= RWB_TARGET_NODEVICE;
	if (flags & RECLAIM_WRITEBACK_MEMCG)
		f |= RWB_TARGET_MEMCG;
	if (flags & RECLAIM_WRITEBACK_PROACTIVE)
		f |= RWB_TARGET_PROACTIVE;
	return f;
}

static bool rwb_dirty_file(void *data, struct folio *folio, int nid, unsigned int flags)
{
	/* Locked, with a mapping: neither it nor its inode goes away meanwhile. */
	struct address_space *mapping = folio->mapping;
	struct inode *inode = mapping->host;
	struct rwb_target t = {
		.folio = (unsigned long)folio,
		.sb = (unsigned long)inode->i_sb,
		.inode = (unsigned long)inode,
		.bdi = (unsigned long)inode_to_bdi(inode),
		.index = folio->index,
		.nr_pages = folio_nr_pages(folio),
		.nid = nid,
		.flags = rwb_target_flags(inode, mapping, flags),
	};

	return rwb_rs_dirty_file(data, &t);
}

static bool rwb_busy(void *data, int nid)
{
	return rwb_rs_busy(data, nid);
}

static u32 rwb_swap_flags(unsigned int flags)
{
	static const u32 pairs[][2] = {
		{ RECLAIM_WRITEBACK_MEMCG, RWB_SWAP_MEMCG },
		{ RECLAIM_WRITEBACK_PROACTIVE, RWB_SWAP_PROACTIVE },
		{ RECLAIM_WRITEBACK_KSWAPD, RWB_SWAP_KSWAPD },
		{ RECLAIM_WRITEBACK_BUSY, RWB_SWAP_BUSY },
		{ RECLAIM_WRITEBACK_ZSWAP, RWB_SWAP_ZSWAP },
		{ RECLAIM_WRITEBACK_SYNC, RWB_SWAP_SYNC },
	};
	u32 i, f = 0;

	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		if (flags & pairs[i][0])
			f |= pairs[i][1];
	return f;
}

/*
 * Can who submits be made to sleep, other than for want of a tag? NBD's queue says so;
 * a device on top of others (dm, md) may, and swap in a file of a network filesystem.
 */
static bool rwb_swap_blocks(const struct swap_info_struct *sis)
{
	struct request_queue *q = sis->bdev ? bdev_get_queue(sis->bdev) : NULL;

	return !q || !queue_is_mq(q) || (q->tag_set->flags & BLK_MQ_F_BLOCKING);
}

/* Block devices by their numbers; the swap file of a filesystem without is told by its type. */
#define RWB_SWAP_NO_BDEV	0x80000000

static u32 rwb_swap_device(const struct swap_info_struct *sis)
{
	return sis->bdev ? sis->bdev->bd_dev : RWB_SWAP_NO_BDEV | sis->type;
}

static enum reclaim_writeback_swap
rwb_defer_swap(void *data, struct folio *folio, const struct swap_info_struct *sis, int nid,
	       int priority, unsigned int flags)
{
	bool swapcache = folio_test_swapcache(folio);
	struct rwb_swap s = {
		.folio = (unsigned long)folio,
		.slot = swapcache ? swp_offset(folio->swap) : BIT_ULL(63) | folio->index,
		.device = sis ? rwb_swap_device(sis) : 0,
		.nr_pages = folio_nr_pages(folio),
		.nid = nid,
		.priority = priority,
		.flags = rwb_swap_flags(flags),
	};

	rwb_fill_at(&s.at, __builtin_frame_address(0));
	if (sis && rwb_swap_blocks(sis))
		s.flags |= RWB_SWAP_BLOCKING;
	return rwb_rs_defer_swap(data, &s);
}

static bool rwb_swap_full(void *data, int nid, int priority, unsigned int flags)
{
	struct rwb_swap s = {
		.nr_pages = 1,
		.nid = nid,
		.priority = priority,
		.flags = rwb_swap_flags(flags),
	};

	rwb_fill_at(&s.at, __builtin_frame_address(0));
	return rwb_rs_swap_full(data, &s);
}

static bool rwb_swap_busy(void *data, int nid)
{
	return rwb_rs_swap_busy(data, nid);
}

static void rwb_swap_done(void *data, unsigned long cookie, unsigned int pages, u64 ns, bool failed)
{
	rwb_rs_swap_done(data, cookie, pages, ns, failed);
}

static struct reclaim_writeback_ops rwb_ops = {
	.owner = THIS_MODULE,
	.dirty_file = rwb_dirty_file,
	.busy = rwb_busy,
	.defer_swap = rwb_defer_swap,
	.swap_full = rwb_swap_full,
	.swap_busy = rwb_swap_busy,
	.swap_done = rwb_swap_done,
};

bool rwb_helper_available(void)
{
	return true;
}

/* One registration at a time: the kernel says -EBUSY to a second one. */
int rwb_helper_register(void *data)
{
	rwb_ops.data = data;
	return register_reclaim_writeback(&rwb_ops);
}

void rwb_helper_unregister(void)
{
	unregister_reclaim_writeback(&rwb_ops);
}

void rwb_helper_done(int nid)
{
	reclaim_writeback_done(nid);
}

/* Wakes those who waited longest for swap-out. Any context. */
void rwb_swap_wake(int nr)
{
	reclaim_writeback_swap_wake(nr);
}

static struct swap_io_ctx *rwb_swap_io(unsigned long *io)
{
	BUILD_BUG_ON(sizeof(struct swap_io_ctx) > RWB_SWAP_IO_WORDS * sizeof(*io));
	return (struct swap_io_ctx *)io;
}

/* What is swapped out with @io is reported with @cookie, which is not 0. */
void rwb_swap_io_init(unsigned long *io, unsigned long cookie)
{
	*rwb_swap_io(io) = (struct swap_io_ctx){ .cookie = cookie };
}

/* Swaps out a locked folio; if that worked, it is unlocked. Sleeps. */
bool rwb_swap_out(unsigned long *io, struct folio *folio)
{
	return reclaim_writeback_swap_out(rwb_swap_io(io), folio);
}

/* Submits what was swapped out. Sleeps. */
void rwb_swap_submit(unsigned long *io)
{
	reclaim_writeback_swap_submit(rwb_swap_io(io));
}

/* Pages that became part of requests so far; wraps. */
u32 rwb_swap_pages(unsigned long *io)
{
	return rwb_swap_io(io)->pages;
}

#else /* !RWB_HAVE_HELPER */

bool rwb_helper_available(void)
{
	return false;
}

int rwb_helper_register(void *data)
{
	return -EOPNOTSUPP;
}

void rwb_helper_unregister(void)
{
}

void rwb_helper_done(int nid)
{
}

void rwb_swap_wake(int nr)
{
}

void rwb_swap_io_init(unsigned long *io, unsigned long cookie)
{
}

bool rwb_swap_out(unsigned long *io, struct folio *folio)
{
	return false;
}

void rwb_swap_submit(unsigned long *io)
{
}

u32 rwb_swap_pages(unsigned long *io)
{
	return 0;
}

#endif /* RWB_HAVE_HELPER */

/* --- folios */

void rwb_folio_get(struct folio *folio)
{
	folio_get(folio);
}

void rwb_folio_put(struct folio *folio)
{
	folio_put(folio);
}

bool rwb_folio_trylock(struct folio *folio)
{
	return folio_trylock(folio);
}

/* The inode whose page cache a locked folio is in; NULL when it was truncated. */
struct inode *rwb_folio_inode(struct folio *folio)
{
	struct address_space *mapping = folio->mapping;

	if (!mapping || folio_test_anon(folio))
		return NULL;
	return mapping->host;
}

bool rwb_folio_dirty(struct folio *folio)
{
	return folio_test_dirty(folio);
}

bool rwb_folio_writeback(struct folio *folio)
{
	return folio_test_writeback(folio);
}

/* folio_wait_writeback() would also look at its mapping, which may be gone: it has an event. */
void rwb_folio_wait_writeback(struct folio *folio)
{
	while (folio_test_writeback(folio))
		folio_wait_bit(folio, PG_writeback);
}

/*
 * Does the folio whose first page is at that frame still hold page @index of the file with
 * that @mapping? Nobody holds a reference: this is a snapshot, and @mapping an address to
 * compare with. The memory may be taken out of the machine meanwhile, and its struct pages with
 * it; RCU keeps what pfn_to_online_page() reads, no more.
 */
bool rwb_pfn_in_file(unsigned long pfn, unsigned long mapping, u64 index)
{
	struct address_space *now;
	struct folio *folio;
	pgoff_t first;

	guard(rcu)();
	folio = (struct folio *)pfn_to_online_page(pfn);
	return folio && !get_kernel_nofault(now, &folio->mapping) &&
	       !get_kernel_nofault(first, &folio->index) &&
	       (unsigned long)now == mapping && first <= index;
}

unsigned long rwb_folio_pfn(struct folio *folio)
{
	return folio_pfn(folio);
}

/* RWB_FOLIO_* of a folio; a snapshot but for what the folio lock keeps. */
u32 rwb_folio_swap_state(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	u32 s = 0;

	if (folio_test_anon(folio) ? folio_test_swapcache(folio) :
				     mapping && shmem_mapping(mapping))
		s |= RWB_FOLIO_SWAPPABLE;
	if (folio_test_dirty(folio))
		s |= RWB_FOLIO_DIRTY;
	if (folio_test_writeback(folio))
		s |= RWB_FOLIO_WRITTEN;
	if (folio_mapped(folio))
		s |= RWB_FOLIO_MAPPED;
	if (folio_test_lru(folio))
		s |= RWB_FOLIO_ON_LRU;
	return s;
}

/* --- superblocks and inodes */

/*
 * What super_trylock_shared() does, which is not exported, for a filesystem that
 * can be written: not frozen, as evicting an inode could then wait for the thaw,
 * which needs the lock that we hold. Returns RWB_SB_*.
 */
u32 rwb_sb_trylock(struct super_block *sb)
{
	u32 why;

	if (!down_read_trylock(&sb->s_umount))
		return RWB_SB_BUSY;
	if ((sb->s_flags & (SB_DYING | SB_BORN | SB_ACTIVE)) != (SB_BORN | SB_ACTIVE) ||
	    !sb->s_root)
		why = RWB_SB_BUSY;
	else if (sb->s_writers.frozen != SB_UNFROZEN)
		why = RWB_SB_FROZEN;
	else if (sb_rdonly(sb))
		why = RWB_SB_READONLY;
	else
		return RWB_SB_LOCKED;
	up_read(&sb->s_umount);
	return why;
}

void rwb_sb_unlock(struct super_block *sb)
{
	up_read(&sb->s_umount);
}

struct super_block *rwb_inode_sb(struct inode *inode)
{
	return inode->i_sb;
}

unsigned long rwb_inode_mapping(struct inode *inode)
{
	return (unsigned long)inode->i_mapping;
}

/*
 * Sets the bits of those of the @nr pages from @start that are dirty and not under
 * writeback; @bits has room for @nr, a multiple of 64. Sleeps.
 */
void rwb_dirty_pages(struct inode *inode, u64 start, u32 nr, unsigned long *bits)
{
	pgoff_t next = start, last = start + nr - 1;
	struct folio_batch batch;
	unsigned int i;

	bitmap_zero(bits, nr);
	folio_batch_init(&batch);
	while (filemap_get_folios_tag(inode->i_mapping, &next, last, PAGECACHE_TAG_DIRTY, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			struct folio *folio = batch.folios[i];
			u64 from = max_t(u64, folio->index, start);
			u64 to = min_t(u64, folio_next_index(folio), last + 1);

			/* Not locked: it may have been truncated or split. */
			if (from < to && folio_test_dirty(folio) && !folio_test_writeback(folio))
				bitmap_set(bits, from - start, to - from);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

/* Starts writing @nr pages from @start; waits for no page to be written. Sleeps. */
int rwb_flush_range(struct inode *inode, u64 start, u64 nr)
{
	return filemap_flush_range(inode->i_mapping, start << PAGE_SHIFT,
				   ((start + nr) << PAGE_SHIFT) - 1);
}

/*
 * The last folio of the pages from @start to before @end that is under writeback, with a
 * reference; if none is, the one that has the last page: btrfs compresses what it was told to
 * write before it marks it. NULL if there is neither.
 */
struct folio *rwb_last_written(struct inode *inode, u64 start, u64 end)
{
	struct folio *last = NULL;
	struct folio_batch batch;
	pgoff_t next = start;
	unsigned int i;

	folio_batch_init(&batch);
	while (start < end && filemap_get_folios_tag(inode->i_mapping, &next, end - 1,
						     PAGECACHE_TAG_WRITEBACK, &batch)) {
		for (i = folio_batch_count(&batch); i > 0; i--) {
			struct folio *folio = batch.folios[i - 1];

			if (!folio_test_writeback(folio))
				continue;
			if (last)
				folio_put(last);
			folio_get(folio);
			last = folio;
			break;
		}
		folio_batch_release(&batch);
	}
	if (!last && start < end) {
		last = filemap_get_folio(inode->i_mapping, end - 1);
		if (IS_ERR(last))
			last = NULL;
	}
	return last;
}

/* The device's name, such as 259:0; the inode's superblock must not go away. */
void rwb_bdi_name(unsigned long bdi, char *buf, size_t size)
{
	strscpy(buf, bdi_dev_name((struct backing_dev_info *)bdi), size);
}

/* --- who is short of memory */

unsigned int rwb_nr_node_ids(void)
{
	return nr_node_ids;
}

/*
 * Is the node short for most allocations: does no zone have what kswapd stops at
 * (as in pgdat_balanced()), and half the way from low to high above it, as what is
 * written now is freed a little later?
 */
bool rwb_node_short(int nid)
{
	struct pglist_data *pgdat = NODE_DATA(nid);
	int i, highest = 0;

	for (i = 0; i < MAX_NR_ZONES; i++)
		if (managed_zone(pgdat->node_zones + i))
			highest = i;
	for (i = 0; i <= highest; i++) {
		struct zone *zone = pgdat->node_zones + i;
		unsigned long enough;

		if (!managed_zone(zone))
			continue;
		enough = high_wmark_pages(zone) + zone->lowmem_reserve[highest] +
			 (high_wmark_pages(zone) - low_wmark_pages(zone)) / 2;
		if (zone_page_state(zone, NR_FREE_PAGES) >= enough)
			return false;
	}
	return true;
}

unsigned long rwb_node_file(int nid)
{
	return rwb_node_pages(nid, NR_INACTIVE_FILE) + rwb_node_pages(nid, NR_ACTIVE_FILE);
}

unsigned long rwb_node_dirty(int nid)
{
	return rwb_node_pages(nid, NR_FILE_DIRTY) + rwb_node_pages(nid, NR_WRITEBACK);
}

/* Is a cgroup that the folio is charged to, or one above it, near its limit? */
bool rwb_memcg_short(struct folio *folio)
{
	struct mem_cgroup *memcg;

	guard(rcu)();
	for (memcg = folio_memcg(folio); memcg; memcg = parent_mem_cgroup(memcg)) {
		unsigned long limit = min(READ_ONCE(memcg->memory.max),
					  READ_ONCE(memcg->memory.high));

		if (page_counter_read(&memcg->memory) + RWB_MEMCG_MARGIN + limit / 64 >= limit)
			return true;
	}
	return false;
}

/* All free pages, and what the min watermarks of all zones add up to. */
void rwb_free_pages(u64 *free, u64 *min)
{
	int nid, i;

	*free = 0;
	*min = 0;
	for_each_online_node(nid) {
		for (i = 0; i < MAX_NR_ZONES; i++) {
			struct zone *zone = NODE_DATA(nid)->node_zones + i;

			if (!managed_zone(zone))
				continue;
			*free += zone_page_state(zone, NR_FREE_PAGES);
			*min += min_wmark_pages(zone);
		}
	}
}

/* --- a thread that writes swap */

/* What @fn submits goes to the device when it is done, from this task. Sleeps. */
void rwb_plugged(void (*fn)(void *data), void *data)
{
	struct blk_plug plug;

	blk_start_plug(&plug);
	fn(data);
	blk_finish_plug(&plug);
}

unsigned int rwb_memalloc_begin(void)
{
	return memalloc_noreclaim_save();
}

void rwb_memalloc_end(unsigned int flags)
{
	memalloc_noreclaim_restore(flags);
}

/* Between _begin and _end the task is not to sleep but by rwb_sleep(); who wakes it ends that. */
void rwb_sleep_begin(void)
{
	set_current_state(TASK_IDLE);
}

void rwb_sleep(u32 ms)
{
	schedule_timeout(msecs_to_jiffies(ms));
}

void rwb_sleep_end(void)
{
	__set_current_state(TASK_RUNNING);
}

/* --- a callback now and then */

struct rwb_ticker {
	struct delayed_work work;
	void *data;
};

static void rwb_tick(struct work_struct *work)
{
	struct rwb_ticker *t = container_of(to_delayed_work(work), struct rwb_ticker, work);
	u32 ms = rwb_rs_tick(t->data);

	if (ms)
		queue_delayed_work(system_dfl_wq, &t->work, msecs_to_jiffies(ms));
}

void *rwb_ticker_new(void *data)
{
	struct rwb_ticker *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (t) {
		INIT_DELAYED_WORK(&t->work, rwb_tick);
		t->data = data;
	}
	return t;
}

/* Any context; nothing happens if it ticks already. */
void rwb_ticker_start(void *ticker, u32 ms)
{
	struct rwb_ticker *t = ticker;

	queue_delayed_work(system_dfl_wq, &t->work, msecs_to_jiffies(ms));
}

/* Waits for the callback. */
void rwb_ticker_free(void *ticker)
{
	struct rwb_ticker *t = ticker;

	cancel_delayed_work_sync(&t->work);
	kfree(t);
}

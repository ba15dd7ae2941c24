// SPDX-License-Identifier: GPL-2.0
/*
 * The C side of the writeback helper: the callbacks that reclaim calls, and wrappers of what the
 * workers need of folios, inodes, superblocks and zones.
 *
 * For the context of the callbacks see struct reclaim_writeback_ops; except for swap_wait they
 * never sleep. The context of each wrapper is that of what it wraps.
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
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

/* The test build also stands for a build on a kernel without the patch. */
#if __has_include("linux/reclaim_writeback.h") && !defined(RWB_TEST_EVENTS)
#include <linux/reclaim_writeback.h>
#include <linux/swap_ops.h>
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

static bool rwb_dirty_file(void *data, struct folio *folio,
			   const struct reclaim_writeback_need *need)
{
	/* The folio is locked and has a mapping: neither it nor its inode goes away meanwhile. */
	struct address_space *mapping = folio->mapping;
	struct inode *inode = mapping->host;
	struct rwb_target t = {
		.folio = (unsigned long)folio,
		.sb = (unsigned long)inode->i_sb,
		.inode = (unsigned long)inode,
		.bdi = (unsigned long)inode_to_bdi(inode),
		.index = folio->index,
		.nr_pages = folio_nr_pages(folio),
		.nid = need->nid,
		.order = need->order,
		.highest_zone = need->highest_zoneidx,
		.flags = rwb_target_flags(inode, mapping, need->flags),
	};

	return rwb_rs_dirty_file(data, &t);
}

static bool rwb_busy(void *data, int nid)
{
	/* Tasks that want memory wait for kswapd alone, so it must not wait. */
	return !(current_is_kswapd() && rwb_kswapd_is_awaited()) && rwb_rs_busy(data, nid);
}

/*
 * A block device is known by the number of the whole device, a swap file of a network filesystem by
 * its type.
 */
#define RWB_SWAP_NO_BDEV	0x80000000

static u32 rwb_swap_device(const struct swap_info_struct *sis)
{
	return sis->bdev ? disk_devt(sis->bdev->bd_disk) : RWB_SWAP_NO_BDEV | sis->type;
}

/*
 * Whether the current task must not wait. A task that works for the device, or that holds what a
 * filesystem below it may need (a transaction, its own locks), would wait for itself. A task that
 * is to die has to give its memory back. An allocation that passes GFP_NOFS itself, outside of such
 * a scope, can't be recognized, nor can a server of the device in userspace that has not set
 * PR_SET_IO_FLUSHER. Where the device waits for such a task, that ends some seconds after the
 * device is late.
 */
static bool rwb_swap_exempt(void)
{
	return current->flags & (PF_KTHREAD | PF_USER_WORKER | PF_LOCAL_THROTTLE |
				 PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO) ||
	       current->journal_info || rwb_task_is_dying();
}

static u32 rwb_swap_who(void)
{
	if (current_is_kswapd())
		return RWB_SWAP_KSWAPD;
	return rwb_swap_exempt() ? RWB_SWAP_EXEMPT : 0;
}

/* The cgroup as swap_can_merge() sees it; only to be compared. */
static unsigned long rwb_swap_cgroup(struct folio *folio)
{
	guard(rcu)();
	return (unsigned long)folio_memcg(folio);
}

static unsigned long rwb_swap_write(void *data, struct swap_iocb *sio)
{
	struct folio *first = bvec_folio(&sio->bvecs[0]);
	u64 slot = swp_offset(first->swap);
	struct rwb_swap s = {
		.bio = {
			.key = (unsigned long)sio,
			.last_folio = (unsigned long)bvec_folio(&sio->bvecs[sio->nr_bvecs - 1]),
			.cgroup = rwb_swap_cgroup(first),
			.start = slot << (PAGE_SHIFT - SECTOR_SHIFT),
			.device = RWB_SWAP_NO_BDEV | sio->sis->type,
			.bytes = sio->len,
			.folios = sio->nr_bvecs,
			.room = ARRAY_SIZE(sio->bvecs),
		},
		.request = (unsigned long)sio,
		.slot = slot,
		.device = rwb_swap_device(sio->sis),
		.area = sio->sis->type,
		.pages = sio->len >> PAGE_SHIFT,
	};

	/* Other bits of the flags change; this one was set by swapon. */
	if (data_race(sio->sis->flags) & SWP_SYNCHRONOUS_IO) {
		s.flags |= RWB_SWAP_SYNC;
		s.bio.flags |= RWB_BIO_SYNC;
	}
	/* A network filesystem makes no bio. For devices with requests see bio_endio(). */
	if (!sio->sis->bdev || bdev_get_queue(sio->sis->bdev)->mq_ops)
		s.bio.flags |= RWB_BIO_UNSEEN;

	rwb_fill_at(&s.at, __builtin_frame_address(0));
	return rwb_rs_swap_write(data, &s);
}

static void rwb_swap_wait(void *data, unsigned long cookie, unsigned int pages,
			  unsigned int freed,
			  const struct reclaim_writeback_need *need)
{
	struct rwb_swap_wait w = {
		.cookie = cookie,
		.pages = pages,
		.freed = freed,
		.order = need->order,
		.faults = current->maj_flt + current->min_flt,
		.flags = rwb_swap_who(),
	};

	/* Callers of MADV_PAGEOUT and memory.reclaim are left out, because they have time. */
	if (current->reclaim_state && !(need->flags & RECLAIM_WRITEBACK_PROACTIVE))
		w.flags |= RWB_SWAP_FAULT;

	/* Tasks that want memory wait for kswapd alone, so it must not wait. */
	if (current_is_kswapd() && rwb_kswapd_is_awaited())
		return;
	rwb_fill_at(&w.at, __builtin_frame_address(0));
	rwb_rs_swap_wait(data, &w);
}

static void rwb_swap_done(void *data, struct swap_iocb *sio, bool failed)
{
	struct rwb_swap_done d = {
		.cookie = sio->cookie,
		.pages = sio->len >> PAGE_SHIFT,
		.failed = failed,
	};

	BUILD_BUG_ON(sizeof(d.stamp) != sizeof(sio->stamp));
	memcpy(d.stamp, sio->stamp, sizeof(d.stamp));
	rwb_rs_swap_done(data, &d);
}

static struct reclaim_writeback_ops rwb_ops = {
	.owner = THIS_MODULE,
	.dirty_file = rwb_dirty_file,
	.busy = rwb_busy,
	.swap_write = rwb_swap_write,
	.swap_wait = rwb_swap_wait,
	.swap_done = rwb_swap_done,
};

bool rwb_helper_available(void)
{
	return true;
}

/* Only one registration at a time is possible: the kernel returns -EBUSY to a second one. */
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

/* Marks a prepared request as ours. */
void rwb_swap_take(unsigned long request, unsigned long cookie)
{
	((struct swap_iocb *)request)->cookie = cookie;
}

/*
 * Tells reclaim that the current task has seen @pages written while it waited for room. These pages
 * are clean now, at the end of the LRU lists, and to direct reclaim that is progress. It looks for
 * memory before it makes many more requests, which would have to wait as well.
 */
void rwb_swap_waited(unsigned int pages)
{
	mm_account_reclaimed_pages(pages);
}

/* Submits a request. Sleeps. The caller must have PF_MEMALLOC. */
void rwb_swap_submit(unsigned long request, const u64 *stamp)
{
	struct swap_iocb *sio = (struct swap_iocb *)request;

	memcpy(sio->stamp, stamp, sizeof(sio->stamp));
	if (IS_ENABLED(CONFIG_SWAP))
		swap_write_prepared(sio);
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

void rwb_swap_take(unsigned long request, unsigned long cookie)
{
}

void rwb_swap_waited(unsigned int pages)
{
}

void rwb_swap_submit(unsigned long request, const u64 *stamp)
{
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

/* Returns the inode whose page cache a locked folio is in; NULL if the folio was truncated. */
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

/*
 * folio_wait_writeback() would also look at the folio's mapping, for its event; the mapping may be
 * gone.
 */
void rwb_folio_wait_writeback(struct folio *folio)
{
	while (folio_test_writeback(folio))
		folio_wait_bit(folio, PG_writeback);
}

/*
 * Whether the folio whose first page is at frame @pfn still holds page @index of the file with
 * @mapping. Nobody holds a reference, so this is a snapshot, and @mapping is only an address to
 * compare with. The memory may be taken out of the machine meanwhile, and its struct pages with it.
 * RCU keeps what pfn_to_online_page() reads, but no more.
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

/* --- superblocks and inodes */

/*
 * Does what super_trylock_shared(), which is not exported, does for a filesystem that can be
 * written. The filesystem must not be frozen, because evicting an inode could then wait for the
 * thaw, which needs the lock that we hold. Returns RWB_SB_*.
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
 * Sets the bits of those of the @nr pages from @start that are dirty and not under writeback. @bits
 * has room for @nr bits, a multiple of 64. Sleeps.
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

			/* The folio is not locked: it may have been truncated or split. */
			if (from < to && folio_test_dirty(folio) && !folio_test_writeback(folio))
				bitmap_set(bits, from - start, to - from);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

/* Starts writing @nr pages from @start, but does not wait until they are written. Sleeps. */
int rwb_flush_range(struct inode *inode, u64 start, u64 nr)
{
	return filemap_flush_range(inode->i_mapping, start << PAGE_SHIFT,
				   ((start + nr) << PAGE_SHIFT) - 1);
}

/*
 * Returns, with a reference, the last folio of the pages from @start to before @end that is under
 * writeback. If there is none, returns the folio that has the last page, because btrfs compresses
 * what it was told to write before it marks it. Returns NULL if there is neither.
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

/* Copies the device's name, such as 259:0, to @buf. The inode's superblock must not go away. */
void rwb_bdi_name(unsigned long bdi, char *buf, size_t size)
{
	strscpy(buf, bdi_dev_name((struct backing_dev_info *)bdi), size);
}

/* --- nodes and cgroups that are short of memory */

unsigned int rwb_nr_node_ids(void)
{
	return nr_node_ids;
}

/*
 * Reads the state of a zone of the node, for an allocation that may be from zones up to @highest.
 * Returns false if the kernel has no such zone.
 */
bool rwb_zone_pages(int nid, u32 zone, u32 highest, struct rwb_zone_pages *pages)
{
	struct zone *z;

	if (zone >= MAX_NR_ZONES)
		return false;
	z = NODE_DATA(nid)->node_zones + zone;
	*pages = (struct rwb_zone_pages){
		.free = zone_page_state(z, NR_FREE_PAGES),
		.low = low_wmark_pages(z),
		.high = high_wmark_pages(z),
		.reserve = z->lowmem_reserve[min_t(u32, highest, MAX_NR_ZONES - 1)],
		.managed = managed_zone(z),
	};
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

/*
 * Reads how many pages are charged to the cgroup of the folio, or to the one that is @level above
 * it, and its limit. Returns false if there is no such cgroup.
 */
bool rwb_memcg_pages(struct folio *folio, u32 level, u64 *used, u64 *limit)
{
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	guard(rcu)();
	for (memcg = folio_memcg(folio); memcg; memcg = parent_mem_cgroup(memcg)) {
		if (level--)
			continue;
		*used = page_counter_read(&memcg->memory);
		*limit = min(READ_ONCE(memcg->memory.max), READ_ONCE(memcg->memory.high));
		return true;
	}
#endif
	return false;
}

/* Returns the number of all free pages, and the sum of the min watermarks of all zones. */
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

unsigned int rwb_memalloc_begin(void)
{
	return memalloc_noreclaim_save();
}

void rwb_memalloc_end(unsigned int flags)
{
	memalloc_noreclaim_restore(flags);
}

/*
 * Between _begin and _end the task must not sleep except in rwb_sleep(). A wakeup of the task ends
 * that sleep, or keeps it from beginning.
 */
void rwb_sleep_begin(void)
{
	set_current_state(TASK_IDLE);
}

/* Sleeps for @ms milliseconds at most, or until it is woken if @ms is 0. */
void rwb_sleep(u32 ms)
{
	schedule_timeout(ms ? msecs_to_jiffies(ms) : MAX_SCHEDULE_TIMEOUT);
}

void rwb_sleep_end(void)
{
	__set_current_state(TASK_RUNNING);
}

/* --- a queue of tasks that wait */

/* Puts the current task at the end of the queue. The caller holds the lock of what it waits for. */
void rwb_wait_queue_join(struct wait_queue_head *head, struct wait_queue_entry *entry)
{
	init_wait(entry);
	prepare_to_wait_exclusive(head, entry, TASK_KILLABLE);
}

/* Sleeps until the task is woken or killed, and leaves the queue. */
void rwb_wait_queue_sleep(struct wait_queue_head *head, struct wait_queue_entry *entry)
{
	/* Without the helper, the task would sleep in the device. */
	io_schedule();
	finish_wait(head, entry);
}

/* Sleeps for @ms milliseconds, or until the task is killed. */
void rwb_sleep_killable(u32 ms)
{
	__set_current_state(TASK_KILLABLE);
	io_schedule_timeout(msecs_to_jiffies(ms));
}

/* Wakes the first @n tasks of the queue; @n is not 0. Interrupts are off meanwhile. Any context. */
void rwb_wait_queue_wake(struct wait_queue_head *head, unsigned int n)
{
	__wake_up(head, TASK_NORMAL, n, NULL);
}

/* Whether the current task is dying. Its memory is wanted back, so it had better not wait. */
bool rwb_task_is_dying(void)
{
	return fatal_signal_pending(current) || (current->flags & PF_EXITING) ||
	       tsk_is_oom_victim(current);
}

/* Whether tasks wait for a kswapd, see throttle_direct_reclaim(). Any context. */
bool rwb_kswapd_is_awaited(void)
{
	int nid;

	for_each_online_node(nid)
		/* This may miss a task that is about to wait. It is asked again. */
		if (waitqueue_active(&NODE_DATA(nid)->pfmemalloc_wait))
			return true;
	return false;
}

/* --- a callback now and then */

struct rwb_ticker {
	struct delayed_work work;
	struct workqueue_struct *wq;
	u32 (*tick)(void *data);
	void *data;
};

static void rwb_tick(struct work_struct *work)
{
	struct rwb_ticker *t = container_of(to_delayed_work(work), struct rwb_ticker, work);
	u32 ms = t->tick(t->data);

	if (ms)
		queue_delayed_work(t->wq, &t->work, msecs_to_jiffies(ms));
}

/*
 * Creates a ticker; returns NULL if there is no memory. @tick returns after how many milliseconds
 * it is to be called again; 0 for not at all. Sleeps.
 */
void *rwb_ticker_new(u32 (*tick)(void *data), void *data)
{
	struct rwb_ticker *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	/*
	 * The workqueue has a rescuer, so tasks that wait for a device are sent away even where no
	 * memory is left.
	 */
	t->wq = alloc_workqueue("rwb_tick", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (!t->wq) {
		kfree(t);
		return NULL;
	}
	INIT_DELAYED_WORK(&t->work, rwb_tick);
	t->tick = tick;
	t->data = data;
	return t;
}

/* Starts the ticker in @ms milliseconds; does nothing if it ticks already. Any context. */
void rwb_ticker_start(void *ticker, u32 ms)
{
	struct rwb_ticker *t = ticker;

	queue_delayed_work(t->wq, &t->work, msecs_to_jiffies(ms));
}

/* Frees the ticker. Sleeps until a running callback is done. */
void rwb_ticker_free(void *ticker)
{
	struct rwb_ticker *t = ticker;

	cancel_delayed_work_sync(&t->work);
	destroy_workqueue(t->wq);
	kfree(t);
}

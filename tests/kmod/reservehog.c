// SPDX-License-Identifier: GPL-2.0
/*
 * reservehog - take the reserves away, for tests.
 *
 *	echo N > /sys/module/reservehog/parameters/leave
 *
 * takes pages of every zone, past all watermarks as PF_MEMALLOC would, until N are free in each,
 * and holds them. Another number takes more pages, or gives none back. -1 gives all of them back,
 * and so does unloading. So does the end of `hold_ms`, counted from the last write to `leave`:
 * whoever wrote that may need memory to write again. `held` says how many pages it has. The
 * module neither reclaims nor wakes kswapd, so that it leaves exactly what it was told to leave.
 *
 *	echo N > /sys/module/reservehog/parameters/objects
 *
 * allocates N objects of a slab cache of its own in the same way, and frees those that it had.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

/* An object links itself to the others. A slab has few of that size. */
struct object {
	struct object *next;
	char rest[1000];
};

static DEFINE_MUTEX(lock);
static LIST_HEAD(pages);
static struct kmem_cache *cache;
static struct object *first;
static unsigned int objects;
static unsigned long held;
static int leave = -1;
static unsigned int hold_ms;

static gfp_t zone_gfp(enum zone_type type)
{
	switch (type) {
#ifdef CONFIG_ZONE_DMA
	case ZONE_DMA:
		return __GFP_DMA;
#endif
#ifdef CONFIG_ZONE_DMA32
	case ZONE_DMA32:
		return __GFP_DMA32;
#endif
	default:
		return 0;
	}
}

/* This is as near as a counter that is kept for each CPU comes. */
static unsigned long zone_free(struct zone *zone)
{
	return zone_page_state_snapshot(zone, NR_FREE_PAGES);
}

/* What zones below can serve. Pages that CPUs take at a time may come from below a watermark. */
static unsigned long spare_below(struct zone *zone)
{
	unsigned long spare = 512;
	struct zone *below;

	for (below = zone->zone_pgdat->node_zones; below < zone; below++) {
		unsigned long free = zone_free(below);

		if (populated_zone(below) && free > low_wmark_pages(below))
			spare += free - low_wmark_pages(below);
	}
	return spare;
}

static void take(struct zone *zone, unsigned long left)
{
	gfp_t gfp = zone_gfp(zone_idx(zone)) | __GFP_MEMALLOC | __GFP_NOWARN | __GFP_THISNODE;
	unsigned long spare = spare_below(zone);

	while (zone_free(zone) > left) {
		struct page *page = alloc_pages_node(zone_to_nid(zone), gfp, 0);

		if (!page)
			return;
		/*
		 * Zones below serve for this one while they have more than their watermark. After
		 * that a foreign page means that pages which are counted as free cannot be had.
		 */
		if (page_zone(page) != zone && !spare--) {
			__free_page(page);
			return;
		}
		list_add(&page->lru, &pages);
		held++;
	}
}

static void take_all(unsigned long left)
{
	int nid, type;

	for_each_online_node(nid) {
		/* From the top, so that no zone is served by the one below it. */
		for (type = MAX_NR_ZONES - 1; type >= 0; type--) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[type];

			if (populated_zone(zone) && type != ZONE_MOVABLE)
				take(zone, left);
		}
	}
}

static void release_all(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
	held = 0;
	leave = -1;
}

static void hold_ends(struct work_struct *work)
{
	guard(mutex)(&lock);
	release_all();
}

static DECLARE_DELAYED_WORK(hold_end, hold_ends);

static int set_leave(const char *val, const struct kernel_param *kp)
{
	int n, ret;

	ret = kstrtoint(val, 0, &n);
	if (ret)
		return ret;
	if (n < -1)
		return -EINVAL;
	/* The work takes the lock, too, so this must not hold it. */
	cancel_delayed_work_sync(&hold_end);
	guard(mutex)(&lock);
	if (n < 0) {
		release_all();
		return 0;
	}
	leave = n;
	take_all(n);
	if (hold_ms)
		schedule_delayed_work(&hold_end, msecs_to_jiffies(hold_ms));
	return 0;
}

static const struct kernel_param_ops leave_ops = {
	.set = set_leave,
	.get = param_get_int,
};

module_param_cb(leave, &leave_ops, &leave, 0600);
MODULE_PARM_DESC(leave, "free pages to leave in each zone; -1 gives all back");
module_param(hold_ms, uint, 0600);
MODULE_PARM_DESC(hold_ms, "then all is given back; 0 (default): when told");
module_param(held, ulong, 0400);
MODULE_PARM_DESC(held, "pages it holds");

static void free_objects(void)
{
	while (first) {
		struct object *next = first->next;

		kmem_cache_free(cache, first);
		first = next;
	}
	objects = 0;
}

static int set_objects(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int ret;

	ret = kstrtouint(val, 0, &n);
	if (ret)
		return ret;
	guard(mutex)(&lock);
	/* Parameters on insmod's command line are set before there is a cache. */
	if (!cache)
		return -EAGAIN;
	free_objects();
	for (; objects < n; objects++) {
		struct object *new = kmem_cache_alloc(cache, __GFP_MEMALLOC | __GFP_NOWARN);

		if (!new)
			return -ENOMEM;
		new->next = first;
		first = new;
	}
	return 0;
}

static const struct kernel_param_ops objects_ops = {
	.set = set_objects,
	.get = param_get_uint,
};

module_param_cb(objects, &objects_ops, &objects, 0600);
MODULE_PARM_DESC(objects, "objects to allocate from a slab cache");

static int __init reservehog_init(void)
{
	cache = kmem_cache_create("reservehog", sizeof(struct object), 0, SLAB_NO_MERGE, NULL);
	return cache ? 0 : -ENOMEM;
}

static void __exit reservehog_exit(void)
{
	cancel_delayed_work_sync(&hold_end);
	free_objects();
	kmem_cache_destroy(cache);
	release_all();
}

module_init(reservehog_init);
module_exit(reservehog_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Takes the memory reserves away, for tests");

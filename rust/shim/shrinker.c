// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that describe a call of do_shrink_slab() for the shrinker ledger.
 *
 * Context: a task that reclaims. Never sleeps.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "memory.h"

/*
 * Describes a call of do_shrink_slab(). @sc and @shrinker are its first two arguments, and the call
 * goes on.
 */
void rwb_shrink(unsigned long sc, unsigned long shrinker, struct rwb_shrink *shrink)
{
	const struct shrink_control *control = (void *)sc;
	const struct shrinker *shr = (void *)shrinker;

	shrink->shrinker = shrinker;
	/* Some shrinkers only count, and have no function to scan. */
	shrink->name = shr->scan_objects ? (unsigned long)shr->scan_objects :
					   (unsigned long)shr->count_objects;
	shrink->cgroup = 0;
	shrink->nid = control->nid;
	shrink->gfp = (__force u32)control->gfp_mask;
	shrink->flags = control->gfp_mask & __GFP_FS ? RWB_SHRINK_FS : 0;
#ifdef CONFIG_SHRINKER_DEBUG
	if (shr->name) {
		shrink->name = (unsigned long)shr->name;
		shrink->flags |= RWB_SHRINK_NAMED;
	}
#endif
#ifdef CONFIG_MEMCG
	guard(rcu)();
	shrink->cgroup = rwb_cgroup_id(control->memcg, &shrink->flags);
#endif
}

/*
 * Returns the number of pages that the current task's reclaim has freed beside those of the LRU
 * lists, mostly slabs, and that it has not added to its sum yet.
 */
unsigned long rwb_reclaimed(void)
{
	return current->reclaim_state ? current->reclaim_state->reclaimed : 0;
}

/*
 * Copies the name of a shrinker that rwb_shrink() has described, during the same call of
 * do_shrink_slab() or soon after. If the shrinker goes or is renamed meanwhile, the name is freed.
 * The copy ends where the name cannot be read.
 */
void rwb_shrinker_name(const struct rwb_shrink *shrink, char *buf, size_t size)
{
	const char *name = (const char *)(unsigned long)shrink->name;
	size_t i;

	if (!(shrink->flags & RWB_SHRINK_NAMED)) {
		snprintf(buf, size, "%ps", name);
		return;
	}
	for (i = 0; i < size - 1; i++)
		if (copy_from_kernel_nofault(buf + i, name + i, 1) || !buf[i])
			break;
	buf[i] = 0;
}

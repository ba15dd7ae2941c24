// SPDX-License-Identifier: GPL-2.0
/*
 * What the shrinker ledger wants to know of a call of do_shrink_slab().
 *
 * Context: of a task that reclaims; never sleeps.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "memory.h"

/* @sc and @shrinker are the first two arguments of do_shrink_slab(), during its call. */
void rwb_shrink(unsigned long sc, unsigned long shrinker, struct rwb_shrink *shrink)
{
	const struct shrink_control *control = (void *)sc;
	const struct shrinker *shr = (void *)shrinker;

	shrink->shrinker = shrinker;
	/* Some only count, and have nothing to scan. */
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

/* Pages of slabs that the current task's reclaim freed since it began, or was asked. */
unsigned long rwb_reclaimed(void)
{
	return current->reclaim_state ? current->reclaim_state->reclaimed : 0;
}

/*
 * The name of what rwb_shrink() told of, during that call. A mount that renames
 * its shrinker just now frees the old name: what cannot be read ends it.
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

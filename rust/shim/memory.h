/* SPDX-License-Identifier: GPL-2.0 */
/* What several files of the shim read of nodes and cgroups. */
#ifndef RWB_MEMORY_H
#define RWB_MEMORY_H

#include <linux/memcontrol.h>
#include <linux/mmzone.h>

#include "shim.h"

/* Not node_page_state(), which is not exported; less what CPUs hold back. */
static inline unsigned long rwb_node_pages(int nid, enum node_stat_item item)
{
	return max(atomic_long_read(&NODE_DATA(nid)->vm_stat[item]), 0L);
}

#ifdef CONFIG_MEMCG
/* Id of @memcg's cgroup, 0 without one; sets RWB_FOLIO_CGROUP_*. Under RCU. */
static inline u64 rwb_cgroup_id(struct mem_cgroup *memcg, u32 *flags)
{
	if (!memcg)
		return 0;
	if (memcg->css.cgroup->root != &cgrp_dfl_root)
		*flags |= RWB_FOLIO_CGROUP_V1;
	/* Cleared before the event cgroup_rmdir, under a lock that is not ours. */
	if (!(READ_ONCE(memcg->css.cgroup->self.flags) & CSS_ONLINE))
		*flags |= RWB_FOLIO_CGROUP_GONE;
	return cgroup_id(memcg->css.cgroup);
}
#endif

/*
 * The id of the cgroup that @folio is charged to, 0 without one; false if there is more to be
 * said of it: that it is of a v1 hierarchy, or has been removed. Preemption is off, which is
 * what RCU waits for: it is locked only for those who check that.
 */
static __always_inline bool rwb_plain_cgroup(struct folio *folio, u64 *id)
{
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;
	struct cgroup *cgrp;
#ifdef CONFIG_PROVE_RCU
	guard(rcu)();
#endif

	memcg = folio_memcg(folio);
	if (memcg) {
		cgrp = memcg->css.cgroup;
		*id = cgroup_id(cgrp);
		return cgrp->root == &cgrp_dfl_root && cgrp->self.flags & CSS_ONLINE;
	}
#endif
	*id = 0;
	return true;
}

#endif /* RWB_MEMORY_H */

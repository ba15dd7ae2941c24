/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that read the state of nodes and cgroups, for several files of the shim. */
#ifndef RWB_MEMORY_H
#define RWB_MEMORY_H

#include <linux/memcontrol.h>
#include <linux/mmzone.h>

#include "shim.h"

/*
 * Does what node_page_state() does, which is not exported: reads the counter of the node, without
 * what CPUs have not added to it yet.
 */
static inline unsigned long rwb_node_pages(int nid, enum node_stat_item item)
{
	return max(atomic_long_read(&NODE_DATA(nid)->vm_stat[item]), 0L);
}

#ifdef CONFIG_MEMCG
/* Returns the id of @memcg's cgroup; 0 if there is none. Sets RWB_FOLIO_CGROUP_*. Under RCU. */
static inline u64 rwb_cgroup_id(struct mem_cgroup *memcg, u32 *flags)
{
	if (!memcg)
		return 0;
	if (memcg->css.cgroup->root != &cgrp_dfl_root)
		*flags |= RWB_FOLIO_CGROUP_V1;
	/* The flag is cleared before the event cgroup_rmdir, under a lock that we do not hold. */
	if (!(READ_ONCE(memcg->css.cgroup->self.flags) & CSS_ONLINE))
		*flags |= RWB_FOLIO_CGROUP_GONE;
	return cgroup_id(memcg->css.cgroup);
}
#endif

/*
 * Sets @id to the id of the cgroup that @folio is charged to; 0 if there is none. Returns false if
 * the id alone does not describe the cgroup, because it is of a v1 hierarchy, or has been removed.
 * Preemption is off, so this is an RCU read-side critical section. RCU is locked only for lockdep.
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
		return cgrp->root == &cgrp_dfl_root && READ_ONCE(cgrp->self.flags) & CSS_ONLINE;
	}
#endif
	*id = 0;
	return true;
}

#endif /* RWB_MEMORY_H */

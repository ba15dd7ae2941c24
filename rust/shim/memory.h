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
	/* Cleared before the event cgroup_rmdir. */
	if (!(memcg->css.cgroup->self.flags & CSS_ONLINE))
		*flags |= RWB_FOLIO_CGROUP_GONE;
	return cgroup_id(memcg->css.cgroup);
}
#endif

#endif /* RWB_MEMORY_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Where a stall begins: the task's node and cgroup, and what its node could free.
 *
 * Context: any; never sleeps.
 */
#include <linux/sched.h>
#include <linux/topology.h>

#include "memory.h"

void rwb_setting(struct rwb_setting *setting)
{
	int nid = numa_mem_id();

	setting->nid = nid;
	setting->flags = 0;
	setting->cgroup = 0;
	setting->inactive_file = rwb_node_pages(nid, NR_INACTIVE_FILE);
	setting->inactive_anon = rwb_node_pages(nid, NR_INACTIVE_ANON);
	setting->dirty = rwb_node_pages(nid, NR_FILE_DIRTY) + rwb_node_pages(nid, NR_WRITEBACK);
#ifdef CONFIG_MEMCG
	guard(rcu)();
	setting->cgroup = rwb_cgroup_id(mem_cgroup_from_task(current), &setting->flags);
#endif
}

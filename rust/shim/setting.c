// SPDX-License-Identifier: GPL-2.0
/*
 * Where a stall begins: the task's node and cgroup, and what its node could free. Whether zswap
 * is on.
 *
 * Context: any, and never sleeps, but where it says so.
 */
#include <linux/err.h>
#include <linux/fs.h>
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

/*
 * Whether zswap takes pages: 1 or 0, or an error. What shows its parameter is the one way to know
 * that a module has; it waits for who is just setting it. In a task that sees sysfs there; sleeps.
 */
int rwb_zswap_on(void)
{
	struct file *file = filp_open("/sys/module/zswap/parameters/enabled", O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t n;
	char on;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_read(file, &on, sizeof(on), &pos);
	filp_close(file, NULL);
	if (n != sizeof(on))
		return n < 0 ? n : -EIO;
	return on == 'Y';
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Where a task stalls: its node and cgroup, and what the node could free. Also whether zswap is on.
 *
 * Context: any; never sleeps. rwb_zswap_on() sleeps.
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
 * Returns 1 if zswap takes pages, 0 if it does not, or a negative error. A module can only find
 * this out by the file that shows the parameter of zswap. If another task sets the parameter, the
 * read waits for it. The current task must see sysfs at /sys. Sleeps.
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

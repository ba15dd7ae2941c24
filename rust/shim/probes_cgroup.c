// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entry for cgroups that are removed.
 *
 * Context: process context, under cgroup_mutex and the lock of the event's path, with interrupts
 * off.
 */
#include <linux/cgroup.h>

#include "probes.h"
#include "entry.h"

#if RWB_HAVE_cgroup_rmdir
void rwb_probe_cgroup_rmdir(void *data, struct cgroup *cgrp, const char *path)
{
#ifdef CONFIG_MEMCG
	/* Ids are unique in a hierarchy only, and memory is charged to cgroups of one hierarchy. */
	if (!(cgrp->root->subsys_mask & (1 << memory_cgrp_id)))
		return;

	RWB_ENTER(at);
	rwb_rs_cgroup_removed(data, &at, cgroup_id(cgrp), cgrp->root != &cgrp_dfl_root, path);
#endif
}
#endif

const struct rwb_entry rwb_cgroup_entries[] = {
	RWB_ROW(cgroup_rmdir),
	{ }
};

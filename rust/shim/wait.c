// SPDX-License-Identifier: GPL-2.0
/*
 * What a task waits for: a page that is read, and whose limit it was reclaimed for.
 *
 * Context: any task, preemption off; never sleeps.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/page_counter.h>
#include <linux/sched.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "memory.h"
#include "sample.h"

#ifdef CONFIG_MEMCG
/* @memcg is whose wait or page it is; the innermost that is at a limit counts. Under RCU. */
static void rwb_wait_cgroup(struct mem_cgroup *memcg, struct rwb_wait_facts *wait)
{
	wait->cgroup = rwb_cgroup_id(memcg, &wait->flags);
	for (; memcg; memcg = parent_mem_cgroup(memcg)) {
		unsigned long high = READ_ONCE(memcg->memory.high);
		unsigned long max = READ_ONCE(memcg->memory.max);
		unsigned long used;

		/* All CPUs write the counter. */
		if (min(high, max) == PAGE_COUNTER_MAX)
			continue;
		used = page_counter_read(&memcg->memory) + RWB_MEMCG_MARGIN;
		if (used + max / 64 >= max)
			wait->flags |= RWB_WAIT_MAX;
		else if (used + high / 64 >= high)
			wait->flags |= RWB_WAIT_HIGH;
		else
			continue;
		if (memcg->css.cgroup->root == &cgrp_dfl_root)
			wait->limited = cgroup_id(memcg->css.cgroup);
		return;
	}
}
#endif

/* Of the current task. */
void rwb_wait(struct rwb_wait_facts *wait)
{
	*wait = (struct rwb_wait_facts){
		.stands_for = 1,
		.flags = current->flags & PF_KTHREAD ? RWB_WAIT_KERNEL : 0,
	};
#ifdef CONFIG_MEMCG
	guard(rcu)();
	rwb_wait_cgroup(mem_cgroup_from_task(current), wait);
#endif
}

/* The same, where it waits for a folio that it has a reference to: is that being read? */
void rwb_wait_folio(unsigned long addr, struct rwb_wait_facts *wait)
{
	struct folio *folio = (struct folio *)addr;
	struct address_space *mapping;
	swp_entry_t slot;

	rwb_wait(wait);
	if (!folio_test_locked(folio) || folio_test_uptodate(folio))
		return;
	if (folio_test_swapcache(folio)) {
		/* Once it is read it may leave swap, and this is no slot: at worst of no area. */
		slot.val = READ_ONCE(folio->swap.val);
		wait->swap = swp_type(slot) + 1;
		wait->flags |= RWB_WAIT_SWAPIN;
		return;
	}
	if (folio_test_anon(folio))
		return;
	wait->flags |= RWB_WAIT_FILE;
	/* Only a folio that came back while it was still remembered has these before it is read. */
	if (folio_test_workingset(folio) || folio_test_active(folio))
		wait->flags |= RWB_WAIT_AGAIN;
	/* It may be truncated meanwhile; inodes and superblocks are freed by RCU. */
	guard(rcu)();
	mapping = READ_ONCE(folio->mapping);
	if (mapping && !((unsigned long)mapping & FOLIO_MAPPING_FLAGS) && mapping->host)
		wait->device = mapping->host->i_sb->s_dev;
}

/* Of a page of swap that is about to be read; its folio is locked. */
void rwb_wait_swapin(unsigned long addr, u32 stands_for, struct rwb_wait_facts *wait)
{
	struct folio *folio = (struct folio *)addr;

	rwb_wait(wait);
	wait->swap = swp_type(folio->swap) + 1;
	wait->stands_for = stands_for;
	wait->flags |= RWB_WAIT_SWAPIN;
}

/* Of how many pages that came back, and of how many reads, one is looked at. */
#define RWB_REFAULTS_ONE_IN	32
#define RWB_SWAPINS_ONE_IN	16

DEFINE_PER_CPU(struct rwb_sample, rwb_refaults_anon);
DEFINE_PER_CPU(struct rwb_sample, rwb_refaults_file);
DEFINE_PER_CPU(struct rwb_sample, rwb_swapins);

u32 rwb_sample_taken(struct rwb_sample *sample, u32 one_in)
{
	u32 seen = sample->seen;

	sample->random = sample->random * 1664525 + 1013904223;
	sample->left = sample->random >> 16 & (2 * one_in - 1);
	sample->seen = 0;
	return seen;
}

/* Pages for which a folio that came back, and is due, stands; 0: for none. Preemption is off. */
u32 rwb_refaults_taken(bool file)
{
	return rwb_sample_taken(file ? this_cpu_ptr(&rwb_refaults_file) :
				       this_cpu_ptr(&rwb_refaults_anon), RWB_REFAULTS_ONE_IN);
}

/*
 * Reads for which the one stands that is due. The task does not sleep for it, but may for
 * memory, or a zram device's own disk. 0: for none. Preemption is off.
 */
u32 rwb_swapins_taken(void)
{
	return rwb_sample_taken(this_cpu_ptr(&rwb_swapins), RWB_SWAPINS_ONE_IN);
}

/*
 * The read that was taken is part of another wait: the next one stands for the @n others for which
 * it stood. Any context.
 */
void rwb_swapins_returned(u32 n)
{
	this_cpu_add(rwb_swapins.seen, n);
}

/* A folio that came back: whose it is. It is locked. */
void rwb_refault(unsigned long addr, struct rwb_wait_facts *wait)
{
	struct folio *folio = (struct folio *)addr;

	*wait = (struct rwb_wait_facts){
		.flags = folio_test_swapbacked(folio) ? 0 : RWB_WAIT_FILE,
	};
#ifdef CONFIG_MEMCG
	guard(rcu)();
	rwb_wait_cgroup(folio_memcg(folio), wait);
#endif
}

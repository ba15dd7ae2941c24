// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that describe the wait of a task: the page that it waits for, and the limit for which
 * memory is reclaimed. Also the samples of pages that came back, and of reads of swap.
 *
 * Context: any task, with preemption off. Never sleeps.
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
/*
 * Notes @memcg, whose wait or page it is, and the innermost cgroup, from @memcg up, that is near a
 * limit. Under RCU.
 */
static void rwb_wait_cgroup(struct mem_cgroup *memcg, struct rwb_wait_facts *wait)
{
	wait->cgroup = rwb_cgroup_id(memcg, &wait->flags);
	for (; memcg; memcg = parent_mem_cgroup(memcg)) {
		unsigned long high = READ_ONCE(memcg->memory.high);
		unsigned long max = READ_ONCE(memcg->memory.max);
		unsigned long used;

		/* The counter is read only if it is needed, because all CPUs write it. */
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

/* Describes the current task. */
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

/*
 * Describes the current task, which waits for a folio to which it has a reference, and whether that
 * folio is being read.
 */
void rwb_wait_folio(unsigned long addr, struct rwb_wait_facts *wait)
{
	struct folio *folio = (struct folio *)addr;
	struct address_space *mapping;
	swp_entry_t slot;

	rwb_wait(wait);
	if (!folio_test_locked(folio) || folio_test_uptodate(folio))
		return;
	if (folio_test_swapcache(folio)) {
		/*
		 * Once the folio is read, it may leave swap. Then the value is no slot, and its
		 * swap area may not exist.
		 */
		slot.val = READ_ONCE(folio->swap.val);
		wait->swap = swp_type(slot) + 1;
		wait->flags |= RWB_WAIT_SWAPIN;
		return;
	}
	if (folio_test_anon(folio))
		return;
	wait->flags |= RWB_WAIT_FILE;
	/* Before a read, a folio has these flags only if it came back while it was remembered. */
	if (folio_test_workingset(folio) || folio_test_active(folio))
		wait->flags |= RWB_WAIT_AGAIN;
	/* The folio may be truncated meanwhile, but RCU keeps the inode and the superblock. */
	guard(rcu)();
	mapping = READ_ONCE(folio->mapping);
	if (mapping && !((unsigned long)mapping & FOLIO_MAPPING_FLAGS) && mapping->host)
		wait->device = mapping->host->i_sb->s_dev;
}

/*
 * Describes the current task, which is about to read a page of swap. The folio of the page is
 * locked. The read stands for @stands_for reads.
 */
void rwb_wait_swapin(unsigned long addr, u32 stands_for, struct rwb_wait_facts *wait)
{
	struct folio *folio = (struct folio *)addr;

	rwb_wait(wait);
	wait->swap = swp_type(folio->swap) + 1;
	wait->stands_for = stands_for;
	wait->flags |= RWB_WAIT_SWAPIN;
}

/* On average one of so many folios that came back, and of so many reads, is looked at. */
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

/*
 * Returns for how many pages a folio stands that came back and is due; 0 if for none. Preemption is
 * off.
 */
u32 rwb_refaults_taken(bool file)
{
	return rwb_sample_taken(file ? this_cpu_ptr(&rwb_refaults_file) :
				       this_cpu_ptr(&rwb_refaults_anon), RWB_REFAULTS_ONE_IN);
}

/*
 * Returns for how many reads of swap the one stands that is due; 0 if for none. The device has read
 * when it is told to, but the task may have to wait for memory, or for the disk of a zram device.
 * Preemption is off.
 */
u32 rwb_swapins_taken(void)
{
	return rwb_sample_taken(this_cpu_ptr(&rwb_swapins), RWB_SWAPINS_ONE_IN);
}

/*
 * Returns @n reads for which a read stood that is part of another wait. The next read that is due
 * stands for them, too. Any context.
 */
void rwb_swapins_returned(u32 n)
{
	this_cpu_add(rwb_swapins.seen, n);
}

/* Describes a folio that came back, and whose it is. The folio is locked. */
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

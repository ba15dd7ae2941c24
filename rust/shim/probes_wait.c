// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for what a task waits for: a CPU, something to happen, a lock,
 * other CPUs, its dirty pages to be written.
 *
 * Context: sched_switch with the run queue's lock held and interrupts off, in the task
 * that leaves the CPU; the lock events in any context. These events are the hottest of
 * all: nothing is done here but to tell what a task does itself from what interrupts it.
 */
#include "probes.h"
#include "entry.h"

/* How many stalls go on, in the ledgers that the probes count in; NULL: in none. */
static const unsigned long *rwb_stalls;

void rwb_count_stalls_in(const unsigned long *stalls)
{
	WRITE_ONCE(rwb_stalls, stalls);
}

static __always_inline bool rwb_nobody_stalls(void)
{
	const unsigned long *stalls = READ_ONCE(rwb_stalls);

	return !stalls || !READ_ONCE(*stalls);
}

#if RWB_HAVE_sched_switch
void rwb_probe_sched_switch(void *data, bool preempt, struct task_struct *prev,
			    struct task_struct *next, unsigned int prev_state)
{
	if (rwb_nobody_stalls())
		return;

	RWB_ENTER(at);
	rwb_rs_switch(data, &at, (unsigned long)prev, (unsigned long)next,
		      preempt || prev_state == TASK_RUNNING);
}
#endif

#if RWB_HAVE_contention_begin
void rwb_probe_contention_begin(void *data, void *lock, unsigned int flags)
{
	if (rwb_nobody_stalls() || !in_task())
		return;

	RWB_ENTER(at);
	rwb_rs_contention(data, &at, (unsigned long)lock, true);
}
#endif

#if RWB_HAVE_contention_end
void rwb_probe_contention_end(void *data, void *lock, int ret)
{
	if (rwb_nobody_stalls() || !in_task())
		return;

	RWB_ENTER(at);
	rwb_rs_contention(data, &at, (unsigned long)lock, false);
}
#endif

#if RWB_HAVE_tlb_flush
void rwb_probe_tlb_flush(void *data, int reason, unsigned long pages)
{
	if (reason != TLB_REMOTE_SEND_IPI || !(current->flags & PF_MEMALLOC))
		return;

	RWB_ENTER(at);
	rwb_rs_interrupts(data, &at);
}
#endif

#if RWB_HAVE_balance_dirty_pages
void rwb_probe_balance_dirty_pages(void *data, struct bdi_writeback *wb,
				   struct dirty_throttle_control *dtc,
				   unsigned long dirty_ratelimit, unsigned long task_ratelimit,
				   unsigned long dirtied, unsigned long period, long pause,
				   unsigned long start_time)
{
	bool limited = false;
	u32 major, minor;
	u32 device = 0;

	/* Without one the task goes on. */
	if (pause <= 0)
		return;

	RWB_ENTER(at);
	/* A bdi's own device has no number; a filesystem's name for it is that. */
	if (sscanf(bdi_dev_name(wb->bdi), "%u:%u", &major, &minor) == 2)
		device = MKDEV(major, minor);
#ifdef CONFIG_CGROUP_WRITEBACK
	/* Set where the cgroup's share of its memory.max is what counts. */
	limited = dtc->gdtc;
#endif
	rwb_rs_dirty_pause(data, &at, device, jiffies64_to_nsecs(pause), limited);
}
#endif

const struct rwb_entry rwb_wait_entries[] = {
	RWB_ROW(sched_switch),
	RWB_ROW(contention_begin),
	RWB_ROW(contention_end),
	RWB_ROW(tlb_flush),
	RWB_ROW(balance_dirty_pages),
	{ }
};

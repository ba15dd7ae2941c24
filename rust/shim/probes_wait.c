// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for the waits of a task: for a CPU, for an event, for a lock, for other CPUs,
 * and for its dirty pages to be written.
 *
 * Context: sched_switch fires in the task that leaves the CPU, with the lock of the run queue held
 * and interrupts off. The events of locks fire in any context. These events are the hottest of all.
 * Their entries return at once if no task stalls, or if an interrupt takes the lock.
 */
#include "probes.h"
#include "entry.h"

/*
 * The counters of the stalls that go on, and of the tasks that wait for locks and may wait for a
 * task that stalls. They are in the ledgers that the probes use; NULL if there are none.
 */
static const unsigned long *rwb_stalls, *rwb_lock_waits;

void rwb_set_stall_counters(const unsigned long *stalls, const unsigned long *waits)
{
	WRITE_ONCE(rwb_stalls, stalls);
	WRITE_ONCE(rwb_lock_waits, waits);
}

static __always_inline bool rwb_nobody_stalls(void)
{
	const unsigned long *stalls = READ_ONCE(rwb_stalls);

	return !stalls || !READ_ONCE(*stalls);
}

static __always_inline bool rwb_nobody_waits_for_locks(void)
{
	const unsigned long *waits = READ_ONCE(rwb_lock_waits);

	return !waits || !READ_ONCE(*waits);
}

/* Whether locks name their holders. With PREEMPT_RT they are rtmutexes, which is not supported. */
bool rwb_locks_tell_holders(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT);
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
/*
 * Returns the task that holds @lock, as the lock has it: an address to compare, and never to look
 * into. Its lowest bit is set if readers hold the lock. Then it is one of them that may have left.
 * Returns 0 if the task is not known. kernel/locking/mutex.h and rwsem.c explain the flags.
 */
static unsigned long rwb_lock_holder(void *lock, unsigned int flags)
{
#ifndef CONFIG_PREEMPT_RT
	const unsigned long mutex_flags = 7, rwsem_nonspinnable = 2;
	const struct mutex *mutex = lock;
	const struct rw_semaphore *rwsem = lock;

	if (flags & LCB_F_MUTEX)
		return atomic_long_read(&mutex->owner) & ~mutex_flags;
	if (flags == LCB_F_READ || flags == LCB_F_WRITE)
		return atomic_long_read(&rwsem->owner) & ~rwsem_nonspinnable;
#endif
	return 0;
}

void rwb_probe_contention_begin(void *data, void *lock, unsigned int flags)
{
	if (rwb_nobody_stalls() || !in_task())
		return;

	RWB_ENTER(at);
	rwb_rs_contention(data, &at, (unsigned long)lock, rwb_lock_holder(lock, flags), true);
}
#endif

#if RWB_HAVE_contention_end
void rwb_probe_contention_end(void *data, void *lock, int ret)
{
	/* A task may get the lock because the stall of its holder, the last one, has ended. */
	if ((rwb_nobody_stalls() && rwb_nobody_waits_for_locks()) || !in_task())
		return;

	RWB_ENTER(at);
	rwb_rs_contention(data, &at, (unsigned long)lock, 0, false);
}
#endif

#if RWB_HAVE_tlb_flush
void rwb_probe_tlb_flush(void *data, int reason, unsigned long pages)
{
	if (reason != TLB_REMOTE_SEND_IPI || !(current->flags & PF_MEMALLOC))
		return;

	RWB_ENTER(at);
	rwb_rs_remote_flush(data, &at);
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

	/* Without a pause the task goes on. */
	if (pause <= 0)
		return;

	RWB_ENTER(at);
	/* The device of a bdi has no number, but most filesystems name the bdi by their device. */
	if (sscanf(bdi_dev_name(wb->bdi), "%u:%u", &major, &minor) == 2)
		device = MKDEV(major, minor);
#ifdef CONFIG_CGROUP_WRITEBACK
	/* This is set if the limit is the cgroup's, which is a share of its memory.max. */
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

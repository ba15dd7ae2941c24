/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The beginning of every probe entry. It keeps the CPU, and notes where the probe fired.
 *
 * When a tracepoint of Linux 7.3 calls its probes, preemption is on (they run under SRCU). The
 * entries switch it off for the few hundred instructions of a handler, so that per-CPU counters
 * need no atomic operation.
 */
#ifndef RWB_ENTRY_H
#define RWB_ENTRY_H

#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "compat.h"
#include "shim.h"
#include "have.h"

/*
 * Rust's slot of the task that was last seen in a window on this CPU; 0 if there is none. The
 * current task may be another one. So what is compared with the slot includes the stack pointer,
 * which is never that of another task.
 */
DECLARE_PER_CPU(unsigned long, rwb_slot);

/*
 * Whether an event is dealt with that rwb_rs_repeated_*() has looked at: it was counted. @result is
 * what that function returned, and @what is RWB_REPEATED_*. Preemption is off, and was off for that
 * function.
 */
static __always_inline bool rwb_was_counted(void *data, u32 result, u32 what)
{
	if (likely(result == RWB_REPEAT_COUNTED))
		return true;
	if (result != RWB_REPEAT_FULL)
		return false;
	rwb_rs_record_counted(data, __this_cpu_read(rwb_slot), what);
	return true;
}

/*
 * These two return @sp and @caller of struct rwb_at for the function whose
 * __builtin_frame_address(0) is @frame.
 */
static __always_inline unsigned long rwb_frame_sp(void *frame)
{
	return (unsigned long)frame + 2 * sizeof(long);
}

static __always_inline unsigned long rwb_frame_caller(void *frame)
{
	return rwb_return_address(((unsigned long *)frame)[1]);
}

/*
 * Notes where the probe fired. @frame is the caller's __builtin_frame_address(0). It points at the
 * saved frame pointer, and the return address is above that. On x86 the address above both is the
 * stack pointer that the call site had before the call. On arm64 the probe entry saves other
 * registers in between, so the address is up to 80 bytes lower. It is still just above the return
 * address, by which frames are found (policy/frames.rs).
 */
static __always_inline void rwb_fill_at(struct rwb_at *at, void *frame)
{
	unsigned long sp = rwb_frame_sp(frame);
	unsigned long end = (unsigned long)end_of_stack(current);

	at->task = (unsigned long)current;
	at->sp = sp;
	at->caller = rwb_frame_caller(frame);
	at->headroom = sp - end;
	at->depth = (unsigned long)task_stack_page(current) + THREAD_SIZE - sp;
	at->flags = (current->flags & PF_MEMALLOC ? RWB_AT_MEMALLOC : 0) |
		    (current->flags & PF_WQ_WORKER ? RWB_AT_WORKER : 0);
	if (!object_is_on_stack(at))
		at->ctx = RWB_CTX_IRQ;
	else if (!in_task())
		at->ctx = RWB_CTX_SOFTIRQ;
	else
		at->ctx = RWB_CTX_TASK;
}

#define RWB_ENTER(at)						\
	struct rwb_at at;					\
								\
	guard(preempt_notrace)();				\
	rwb_fill_at(&(at), __builtin_frame_address(0))

/* An entry of the tables in which rwb_probe_func() looks up names. */
struct rwb_entry {
	const char *event;
	void *func;
};

/* A row for @event_. Its function is NULL if this kernel's event differs, or is missing. */
#define RWB_ROW(event_)		_RWB_ROW(event_, RWB_HAVE_##event_)
#define _RWB_ROW(event_, have)	__RWB_ROW(event_, have)
#define __RWB_ROW(event_, have)	RWB_ROW_##have(event_)
#define RWB_ROW_1(event_)	{ .event = #event_, .func = rwb_probe_##event_ }
#define RWB_ROW_0(event_)	{ .event = #event_, .func = NULL }

extern const struct rwb_entry rwb_vmscan_entries[];
extern const struct rwb_entry rwb_io_entries[];
extern const struct rwb_entry rwb_wait_entries[];
extern const struct rwb_entry rwb_cache_entries[];
extern const struct rwb_entry rwb_cgroup_entries[];
extern const struct rwb_entry rwb_ext4_entries[];
extern const struct rwb_entry rwb_reserve_entries[];
extern const struct rwb_entry rwb_nbd_entries[];

#endif /* RWB_ENTRY_H */

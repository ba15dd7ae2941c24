/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every probe entry begins with: keep the CPU, note where we are.
 *
 * Preemption is on when a 7.3 tracepoint calls its probes (they run under
 * SRCU); the entries switch it off for the few hundred instructions of a
 * handler, so that per-CPU counters need no atomic operation.
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
 * Rust's slot of the task that was seen in a window on this CPU last; 0: none. What it is asked
 * there has to name the stack, which is no other task's.
 */
DECLARE_PER_CPU(unsigned long, rwb_slot);

/* Of the function whose __builtin_frame_address(0) is @frame, as struct rwb_at has them. */
static __always_inline unsigned long rwb_frame_sp(void *frame)
{
	return (unsigned long)frame + 2 * sizeof(long);
}

static __always_inline unsigned long rwb_frame_caller(void *frame)
{
	return rwb_return_address(((unsigned long *)frame)[1]);
}

/*
 * @frame is the caller's __builtin_frame_address(0): it points at the saved
 * frame pointer, with the return address above it. On x86 what lies above both is
 * the stack pointer that the call site had before the call. On arm64 the caller
 * saves its registers there first, so that it is up to 80 bytes lower than that;
 * it lies just above the return address all the same, which is what frames are
 * found by (policy/frames.rs).
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

/* One entry of the table that rwb_probe_func() looks names up in. */
struct rwb_entry {
	const char *event;
	void *func;
};

/* A row for @event; its function is NULL when conftest.sh found it changed. */
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

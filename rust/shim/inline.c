// SPDX-License-Identifier: GPL-2.0
/*
 * One function for each inline function or macro of the kernel that Rust cannot call. The context
 * of each is that of what it wraps.
 */
#include <linux/cgroup.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched/deadline.h>
#include <linux/sched/task_stack.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/tracepoint.h>
#include <net/sock.h>

#ifdef CONFIG_X86_64
#include <asm/unwind.h>
#endif

#include "compat.h"
#include "shim.h"
#include "contract.h"

void rwb_preempt_disable(void)
{
	preempt_disable_notrace();
}

void rwb_preempt_enable(void)
{
	preempt_enable_notrace();
}

unsigned int rwb_cpu(void)
{
	return raw_smp_processor_id();
}

unsigned int rwb_nr_cpu_ids(void)
{
	return nr_cpu_ids;
}

bool rwb_cpu_possible(unsigned int cpu)
{
	return cpu_possible(cpu);
}

bool rwb_node_online(unsigned int nid)
{
	return nid < MAX_NUMNODES && node_online(nid);
}

/* Fills in @zone. Returns false if there is no such zone, or nothing in it. The node is online. */
bool rwb_zone(unsigned int nid, unsigned int zid, struct rwb_zone *zone)
{
	struct zone *z;

	if (zid >= MAX_NR_ZONES)
		return false;
	z = NODE_DATA(nid)->node_zones + zid;
	if (!managed_zone(z))
		return false;
	zone->free = zone_page_state(z, NR_FREE_PAGES);
	zone->min = min_wmark_pages(z);
	zone->low = low_wmark_pages(z);
	strscpy(zone->name, z->name, sizeof(zone->name));
	return true;
}

/* Returns the number of sockets with SOCK_MEMALLOC; -1 on a kernel without networking. */
long rwb_memalloc_sockets(void)
{
#ifdef CONFIG_NET
	return static_key_count(&memalloc_socks_key.key);
#else
	return -1;
#endif
}

/* The memory is zeroed. Returns NULL if there is none, or if @size exceeds a per-CPU unit. */
void *rwb_percpu_alloc(size_t size, size_t align)
{
	/* The cast goes by a number, because gcc has per-CPU pointers in another address space. */
	return (void *)(__force unsigned long)__alloc_percpu(size, align);
}

/* Returns the offset from a per-CPU pointer to this CPU's instance. Preemption is off. */
unsigned long rwb_percpu_offset(void)
{
#ifdef CONFIG_SMP
	return __my_cpu_offset;
#else
	return 0;
#endif
}

void *rwb_percpu_of(void *percpu, unsigned int cpu)
{
	return per_cpu_ptr((void __percpu *)(__force unsigned long)percpu, cpu);
}

/*
 * Returns a word of the current task's stack, without the signature if it is a return address. The
 * word may be in a red zone of KASAN.
 */
unsigned long rwb_stack_word(unsigned long addr)
{
	return rwb_return_address(READ_ONCE_NOCHECK(*(unsigned long *)addr));
}

/*
 * Returns the number of words of the current task's stack from @sp up to the return address of a
 * function. The function called something that returns to @caller, and @sp was its stack pointer.
 * Returns 0 if the number cannot be told. The unwinder has to know the frame, because other words
 * in a frame may look like a return address.
 */
u32 rwb_frame_words(unsigned long sp, unsigned long caller)
{
#if defined(CONFIG_X86_64) && defined(CONFIG_UNWINDER_ORC)
	struct unwind_state state;

	for (unwind_start(&state, current, NULL, NULL); !unwind_done(&state);
	     unwind_next_frame(&state)) {
		if (unwind_get_return_address(&state) != caller || state.sp != sp)
			continue;
		if (!unwind_next_frame(&state) || unwind_error(&state) || state.regs ||
		    state.sp <= sp)
			return 0;
		return (state.sp - sp) / sizeof(long) - 1;
	}
#elif defined(CONFIG_ARM64)
	/*
	 * A frame record is the address of the caller's record, with a return address above it. The
	 * first one is of this function.
	 */
	unsigned long record = (unsigned long)__builtin_frame_address(0);
	unsigned long top = rwb_stack_top();
	unsigned long next;

	for (; record < top; record = next) {
		next = rwb_stack_word(record);
		if (next <= record || next >= top || !IS_ALIGNED(next, sizeof(long)))
			return 0;
		if (record + 2 * sizeof(long) != sp)
			continue;
		if (rwb_stack_word(record + sizeof(long)) != caller || next < sp)
			return 0;
		return (next + sizeof(long) - sp) / sizeof(long);
	}
#endif
	return 0;
}

unsigned long rwb_stack_top(void)
{
	return (unsigned long)task_stack_page(current) + THREAD_SIZE;
}

unsigned long rwb_stack_size(void)
{
	return THREAD_SIZE;
}

/* This is not local_clock(), which differs between CPUs if the TSC is not stable. */
u64 rwb_clock_ns(void)
{
	return ktime_get_mono_fast_ns();
}

u64 rwb_cycles(void)
{
	return get_cycles();
}

/* The bytes behind the end of the name are zero, because strscpy_pad() wrote it. */
void rwb_comm(char *buf)
{
	memcpy(buf, current->comm, TASK_COMM_LEN);
	buf[TASK_COMM_LEN - 1] = 0;
}

unsigned long rwb_task(void)
{
	return (unsigned long)current;
}

bool rwb_task_is_realtime(void)
{
	return rt_or_dl_task(current);
}

int rwb_task_nice(void)
{
	return task_nice(current);
}

u64 rwb_task_runtime(void)
{
	return current->se.sum_exec_runtime;
}

int rwb_pid(void)
{
	return task_pid_nr(current);
}

void rwb_tracepoint_sync(void)
{
	tracepoint_synchronize_unregister();
}

/*
 * Copies the path of the cgroup with this id to @buf. Returns its length, or a negative error.
 */
int rwb_cgroup_path(u64 id, char *buf, size_t size)
{
	struct cgroup *cgrp = cgroup_get_from_id(id);
	int len;

	if (IS_ERR(cgrp))
		return PTR_ERR(cgrp);
	len = cgroup_path(cgrp, buf, size);
	cgroup_put(cgrp);
	return len;
}

/* Calls @fn for each tracepoint of a module; returns their number. */
int rwb_module_tracepoints(struct tp_module *tp, void (*fn)(struct tracepoint *, void *),
			   void *priv)
{
	struct module *mod = tp->mod;
	unsigned int i;

	for (i = 0; i < mod->num_tracepoints; i++)
		fn(tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]), priv);
	return mod->num_tracepoints;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Function probes, for what 7.3 has no tracepoint for: RWB_FUNCTIONS in shim.h.
 * What a function is probed for, and which of its arguments count, is
 * rust/probes/function.rs's.
 *
 * By ftrace where it knows the function; a function that is "inline" in its
 * source is hidden from ftrace though the compiler left it whole, and gets a
 * kretprobe, which costs more.
 *
 * Context of the handlers: the function's own, mostly of a task that reclaims,
 * may be preempted; they never sleep. Registration sleeps.
 */
#include <linux/blk-mq.h>
#include <linux/err.h>
#include <linux/fprobe.h>
#include <linux/kprobes.h>
#include <linux/mm_types.h>
#include <linux/page-flags.h>
#include <linux/slab.h>

#include "entry.h"
#include "swap_io.h"

/* Calls that a kretprobe follows at a time; more are counted as missed. */
#define RWB_MAX_CALLS	1024

#define RWB_FUNCTION_NAME(num, name)	[num] = name,

static const char * const rwb_functions[] = { RWB_FUNCTIONS(RWB_FUNCTION_NAME) };

static const char *rwb_function_name(u32 id)
{
	return id < ARRAY_SIZE(rwb_functions) ? rwb_functions[id] : NULL;
}

#define RWB_FORM_NAME(num, name)	[num] = name,

static const char * const rwb_forms[] = { RWB_FORMS(RWB_FORM_NAME) };

struct rwb_function {
#ifdef CONFIG_FPROBE
	struct fprobe fprobe;
#endif
#ifdef CONFIG_KRETPROBES
	struct kretprobe kret;
#endif
	void *data;
	u32 id;
	u32 form;
	bool by_kret;
	char sym[64];
};

/*
 * Kept from the entry of a function for its exit. The kernel finds the probe for that by its
 * address: if it was taken off meanwhile, another one may be there by then.
 */
struct rwb_call {
	u32 id;
	u32 followed;
};

/* Whether a call of swap_write_submit() tells what it submits. */
bool rwb_sees_swap_io(void)
{
	return RWB_SWAP_IOCB;
}

/* Functions that can be probed in any form: nothing depends on their arguments. */
static bool rwb_in_any_form(u32 id)
{
	return id == RWB_FUNCTION_SLOW_PATH || id == RWB_FUNCTION_DRAIN_PAGES;
}

/* The argument that Rust is told of first; of try_to_free_pages() it is the gfp mask. */
static __always_inline unsigned int rwb_first(u32 id)
{
	return id == RWB_FUNCTION_TRY_TO_FREE ? 2 : 0;
}

/*
 * What Rust is told of a call: its first two arguments @a and @b, or of a function that is
 * not about these what it is about. @caller is where it returns to.
 */
static __always_inline void rwb_about(const struct rwb_function *fn, unsigned long *a,
				      unsigned long *b, unsigned long caller)
{
	/* The compiler may have left out some. */
	if (fn->form) {
		*a = 0;
		*b = 0;
		return;
	}

	switch (fn->id) {
	case RWB_FUNCTION_SWAP_SUBMIT:
#if RWB_SWAP_IOCB
		*a = (unsigned long)((struct swap_io_ctx *)*a)->sio;
#endif
		*b = caller;
		break;
	case RWB_FUNCTION_NBD_QUEUE:
		*a = (unsigned long)((struct blk_mq_queue_data *)*b)->rq;
		break;
	case RWB_FUNCTION_PSI_ENTER:
		*b = caller;
		break;
	case RWB_FUNCTION_WAIT_BIT:
	case RWB_FUNCTION_WAIT_BIT_KILLABLE:
	case RWB_FUNCTION_WAIT_BIT_COMMON:
		/* Until it is written is another matter. */
		if (*b != PG_locked)
			*a = 0;
		break;
	case RWB_FUNCTION_SWAP_READ:
		/* (struct swap_io_ctx *, struct folio *); before, the folio came first. */
		if (RWB_SWAP_IOCB)
			*a = *b;
		break;
	}
}

#ifdef CONFIG_FPROBE
/* Returns 1 when the exit is of no interest. */
static int rwb_fprobe_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			    struct ftrace_regs *fregs, void *entry_data)
{
	struct rwb_function *fn = container_of(fp, struct rwb_function, fprobe);
	unsigned long a = ftrace_regs_get_argument(fregs, rwb_first(fn->id));
	unsigned long b = ftrace_regs_get_argument(fregs, 1);
	struct rwb_call *call = entry_data;

	RWB_ENTER(at);
	rwb_about(fn, &a, &b, ret_ip);
	call->id = fn->id;
	call->followed = rwb_rs_function_entry(fn->data, &at, fn->id, a, b);
	return !call->followed;
}

static void rwb_fprobe_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			    struct ftrace_regs *fregs, void *entry_data)
{
	struct rwb_function *fn = container_of(fp, struct rwb_function, fprobe);
	struct rwb_call *call = entry_data;

	if (call->id != fn->id)
		return;

	RWB_ENTER(at);
	rwb_rs_function_exit(fn->data, &at, fn->id, call->followed,
			     ftrace_regs_get_return_value(fregs));
}

/* For whom the call alone is of interest: that costs the kernel much less. */
static int rwb_fprobe_called(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			     struct ftrace_regs *fregs, void *entry_data)
{
	struct rwb_function *fn = container_of(fp, struct rwb_function, fprobe);
	unsigned long a = ftrace_regs_get_argument(fregs, rwb_first(fn->id));
	unsigned long b = ftrace_regs_get_argument(fregs, 1);

	RWB_ENTER(at);
	rwb_about(fn, &a, &b, ret_ip);
	rwb_rs_function_entry(fn->data, &at, fn->id, a, b);
	return 0;
}

static int rwb_fprobe_register(struct rwb_function *fn)
{
	const char *sym = fn->sym;

	switch (fn->id) {
	case RWB_FUNCTION_ZSWAP_STORE:
	case RWB_FUNCTION_NBD_QUEUE:
	case RWB_FUNCTION_PSI_LEAVE:
	case RWB_FUNCTION_PSI_ENTER:
	case RWB_FUNCTION_REFAULT:
		fn->fprobe.entry_handler = rwb_fprobe_called;
		break;
	default:
		fn->fprobe.entry_handler = rwb_fprobe_entry;
		fn->fprobe.exit_handler = rwb_fprobe_exit;
		fn->fprobe.entry_data_size = sizeof(struct rwb_call);
	}
	/* Only a filter finds a module's functions. */
	if (fn->id == RWB_FUNCTION_NBD_QUEUE)
		return register_fprobe(&fn->fprobe, sym, NULL);
	return register_fprobe_syms(&fn->fprobe, &sym, 1);
}

static void rwb_fprobe_unregister(struct rwb_function *fn)
{
	unregister_fprobe(&fn->fprobe);
}

static unsigned long rwb_fprobe_missed(struct rwb_function *fn)
{
	return fn->fprobe.nmissed;
}
#else
static int rwb_fprobe_register(struct rwb_function *fn)
{
	return -EOPNOTSUPP;
}

static void rwb_fprobe_unregister(struct rwb_function *fn)
{
}

static unsigned long rwb_fprobe_missed(struct rwb_function *fn)
{
	return 0;
}
#endif

#ifdef CONFIG_KRETPROBES
/* Returns 1 when the exit is of no interest. */
static int rwb_kret_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct rwb_function *fn = container_of(get_kretprobe(ri), struct rwb_function, kret);
	unsigned long a = regs_get_kernel_argument(regs, rwb_first(fn->id));
	unsigned long b = regs_get_kernel_argument(regs, 1);
	struct rwb_call *call = (void *)ri->data;

	RWB_ENTER(at);
	/*
	 * Until the kernel has made a jump of it, the probe is a trap, which counts as an
	 * NMI. What it interrupted is what the function runs in; no NMI calls ours.
	 */
	if (in_nmi() && at.ctx == RWB_CTX_SOFTIRQ &&
	    !((preempt_count() - NMI_OFFSET - HARDIRQ_OFFSET) &
	      (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)))
		at.ctx = RWB_CTX_TASK;
	rwb_about(fn, &a, &b, get_kretprobe_retaddr(ri));
	call->followed = rwb_rs_function_entry(fn->data, &at, fn->id, a, b);
	return !call->followed;
}

static int rwb_kret_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(ri);
	struct rwb_call *call = (void *)ri->data;
	struct rwb_function *fn;

	/* Unregistered while the function ran. */
	if (!rp)
		return 0;
	fn = container_of(rp, struct rwb_function, kret);

	RWB_ENTER(at);
	rwb_rs_function_exit(fn->data, &at, fn->id, call->followed, regs_return_value(regs));
	return 0;
}

static int rwb_kret_register(struct rwb_function *fn)
{
	fn->kret.kp.symbol_name = fn->sym;
	fn->kret.entry_handler = rwb_kret_entry;
	fn->kret.handler = rwb_kret_exit;
	fn->kret.data_size = sizeof(struct rwb_call);
	fn->kret.maxactive = RWB_MAX_CALLS;
	return register_kretprobe(&fn->kret);
}

static void rwb_kret_unregister(struct rwb_function *fn)
{
	unregister_kretprobe(&fn->kret);
}

static unsigned long rwb_kret_missed(struct rwb_function *fn)
{
	return fn->kret.nmissed;
}

/*
 * The kernel skips a probe that is hit on top of another's handler (kprobe_running()), which
 * runs with preemption disabled: only an interrupt comes there, and it neither stalls nor
 * ends what the task does.
 */
static unsigned long rwb_kret_interrupts(struct rwb_function *fn)
{
	return fn->kret.kp.nmissed;
}
#else
static int rwb_kret_register(struct rwb_function *fn)
{
	return -EOPNOTSUPP;
}

static void rwb_kret_unregister(struct rwb_function *fn)
{
}

static unsigned long rwb_kret_missed(struct rwb_function *fn)
{
	return 0;
}

static unsigned long rwb_kret_interrupts(struct rwb_function *fn)
{
	return 0;
}
#endif

/* Probes the function in one form. */
static int rwb_register(struct rwb_function *fn)
{
	int err = rwb_fprobe_register(fn);

	/* What is not there yet may come with its module. */
	fn->by_kret = err == -EOPNOTSUPP || (err == -ENOENT && fn->id != RWB_FUNCTION_NBD_QUEUE);
	if (fn->by_kret)
		err = rwb_kret_register(fn);
	return err;
}

/* Probes function @id. Returns a handle, or NULL with @err set. */
void *rwb_function_probe_register(u32 id, void *data, int *err)
{
	const char *name = rwb_function_name(id);
	struct rwb_function *fn;
	u32 form;

	*err = -EINVAL;
	if (!name)
		return NULL;
	*err = -ENOMEM;
	fn = kzalloc_obj(*fn);
	if (!fn)
		return NULL;
	fn->data = data;
	fn->id = id;
	for (form = 0; form < ARRAY_SIZE(rwb_forms); form++) {
		fn->form = form;
		snprintf(fn->sym, sizeof(fn->sym), "%s%s", name, rwb_forms[form]);
		*err = rwb_register(fn);
		if (*err != -ENOENT || !rwb_in_any_form(id))
			break;
	}
	if (*err) {
		kfree(fn);
		return NULL;
	}
	return fn;
}

/* The form in which it is probed. */
u32 rwb_function_probe_form(void *handle)
{
	struct rwb_function *fn = handle;

	return fn->form;
}

/* Calls that were not seen; of @interrupts that came to a handler, which are not of them. */
unsigned long rwb_function_probe_missed(void *handle, unsigned long *interrupts)
{
	struct rwb_function *fn = handle;

	*interrupts = fn->by_kret ? rwb_kret_interrupts(fn) : 0;
	return fn->by_kret ? rwb_kret_missed(fn) : rwb_fprobe_missed(fn);
}

/* Waits until no handler runs any more. */
void rwb_function_probe_unregister(void *handle)
{
	struct rwb_function *fn = handle;

	if (fn->by_kret)
		rwb_kret_unregister(fn);
	else
		rwb_fprobe_unregister(fn);
	kfree(fn);
}

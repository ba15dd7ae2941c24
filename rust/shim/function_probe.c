// SPDX-License-Identifier: GPL-2.0
/*
 * Function probes, on functions of Linux 7.3 that have no tracepoint: RWB_FUNCTIONS in words.h.
 * rust/probes/function.rs decides what a call is counted for.
 *
 * If only the call of a function is of interest, it gets a callback of ftrace itself. If its return
 * is of interest, too, it gets an fprobe, which costs some 400 instructions more for a call, and
 * 700 for a return. A function that is "inline" in its source is hidden from ftrace, even if the
 * compiler does not inline it. It gets a kretprobe.
 *
 * Context of the handlers: that of the function, mostly a task that reclaims. Preemption may be on.
 * Handlers never sleep. Registration sleeps.
 */
#include <linux/blk-mq.h>
#include <linux/err.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/kstrtox.h>
#include <linux/mm_types.h>
#include <linux/page-flags.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/trace_recursion.h>

#include "entry.h"
#include "compat.h"
#include "sample.h"

/* Only with this option a callback of ftrace gets the arguments of the function. */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#define RWB_FTRACE
#endif

/* The most calls that a kretprobe follows at the same time. More are counted as missed. */
#define RWB_MAX_CALLS	1024

#define RWB_FUNCTION_NAME(num, name)	[num] = name,

static const char * const rwb_functions[] = { RWB_FUNCTIONS(RWB_FUNCTION_NAME) };

static const char *rwb_function_name(u32 id)
{
	switch (id) {
	case RWB_FUNCTION_SWAP_SUBMIT:
		return RWB_SUBMITS_SWAP_WRITES;
	case RWB_FUNCTION_SWAP_READ:
		return RWB_SUBMITS_SWAP_READS;
	default:
		return id < ARRAY_SIZE(rwb_functions) ? rwb_functions[id] : NULL;
	}
}

#define RWB_FORM_NAME(num, name)	[num] = name,

static const char * const rwb_forms[] = { RWB_FORMS(RWB_FORM_NAME) };

/* The ways to probe a function. */
enum rwb_method { RWB_BY_FTRACE, RWB_BY_FPROBE, RWB_BY_KRETPROBE };

struct rwb_function {
#ifdef RWB_FTRACE
	struct ftrace_ops ops;
	atomic_long_t missed;
#endif
#ifdef CONFIG_FPROBE
	struct fprobe fprobe;
#endif
#ifdef CONFIG_KRETPROBES
	struct kretprobe kret;
#endif
	void *data;
	u32 id;
	u32 form;
	enum rwb_method method;
	char sym[64];
};

/*
 * The data that is kept from the entry of a function to its exit. At the exit the kernel finds the
 * probe by its address. If the probe was unregistered meanwhile, another one may be there.
 */
struct rwb_call {
	u32 id;
	u32 handlers;
};

/* Whether a call of swap_write_submit() tells what it submits. */
bool rwb_sees_swap_io(void)
{
	return RWB_SWAP_IOCB;
}

/* Whether the function can be probed in any form, because nothing depends on its arguments. */
static bool rwb_in_any_form(u32 id)
{
	return id == RWB_FUNCTION_SLOW_PATH || id == RWB_FUNCTION_DRAIN_PAGES;
}

/*
 * Returns the number of the argument that is passed to Rust first. For try_to_free_pages() this is
 * the gfp mask, which follows the order.
 */
static __always_inline unsigned int rwb_first_arg(u32 id)
{
	return id == RWB_FUNCTION_TRY_TO_FREE ? 2 : 0;
}

/* Whether a folio is of a file. This is folio_is_file_lru(): pages of shmem go to swap. */
static __always_inline bool rwb_is_file(const struct folio *folio)
{
	return !folio_test_swapbacked(folio);
}

/* Counts a folio that came back, and says whether it is to be looked at. Any context. */
static __always_inline bool rwb_refault_due(const struct folio *folio)
{
	u32 pages = folio_nr_pages(folio);

	return rwb_is_file(folio) ? rwb_sample_due(rwb_refaults_file, pages) :
				    rwb_sample_due(rwb_refaults_anon, pages);
}

/* Returns for how many pages a folio that came back stands; 0 if for none. Any context. */
static u32 rwb_refault_stands_for(const struct folio *folio)
{
	if (!rwb_refault_due(folio))
		return 0;
	guard(preempt_notrace)();
	return rwb_refaults_taken(rwb_is_file(folio));
}

/*
 * Sets @a and @b to the values that are passed to Rust for a call. At first they are two arguments
 * of the function. @caller is the address to which it returns. Returns false if Rust does not need
 * to know of the call. Preemption is off, except for functions with a callback of ftrace.
 */
static __always_inline bool rwb_prepare_args(const struct rwb_function *fn, unsigned long *a,
					     unsigned long *b, unsigned long caller)
{
	bool on;
#if RWB_SWAP_IOCB
	struct swap_io_ctx *ctx;
	bool sync;
#endif

	/* The compiler may have left out some arguments. */
	if (fn->form) {
		*a = 0;
		*b = 0;
		return true;
	}

	switch (fn->id) {
	case RWB_FUNCTION_SWAP_SUBMIT:
#if RWB_SWAP_IOCB
		ctx = (void *)*a;
		/* Reclaim calls it after each batch, and mostly nothing is left to submit. */
		if (!ctx->sio)
			return false;
		*a = (unsigned long)ctx->sio;
#endif
		*b = caller;
		break;
	case RWB_FUNCTION_NBD_QUEUE:
		*a = (unsigned long)((struct blk_mq_queue_data *)*b)->rq;
		break;
	case RWB_FUNCTION_PSI_ENTER:
		*b = caller;
		break;
	case RWB_FUNCTION_ZSWAP_SWITCH:
		/* The kernel refuses a value that kstrtobool() refuses. */
		*a = !kstrtobool((const char *)*a, &on) && on;
		break;
	case RWB_FUNCTION_WAIT_BIT:
	case RWB_FUNCTION_WAIT_BIT_KILLABLE:
	case RWB_FUNCTION_WAIT_BIT_COMMON:
		/* Waits for the end of writeback are not counted. */
		if (*b != PG_locked)
			*a = 0;
		break;
	case RWB_FUNCTION_SWAP_READ:
#if RWB_SWAP_IOCB
		ctx = (void *)*a;
		/* Other bits of the flags change; this one was set by swapon. */
		sync = data_race(ctx->sis->flags) & SWP_SYNCHRONOUS_IO;
		if (sync && (READ_ONCE(rwb_reads_followed) || rwb_in_memstall() ||
			     !rwb_sample_due(rwb_swapins, 1)))
			return false;
		*b = sync ? 1UL << 32 | rwb_swapins_taken() : 1;
		/* The first folio of the read stands for all of them. */
		*a = (unsigned long)page_folio(ctx->sio->bvecs[0].bv_page);
		return (u32)*b;
#else
		/* The flag that tells whether it reads at once is in a header of swap's own. */
		*b = 1;
		break;
#endif
	case RWB_FUNCTION_REFAULT:
		*b = rwb_refault_stands_for((const struct folio *)*a);
		return *b;
	}
	return true;
}

/*
 * Whether the function is in a module. Such a probe is registered when the module has come, and
 * unregistered when the module is about to go, by the notifier in kernel_ext/tracepoint.rs.
 */
static bool rwb_in_module(u32 id)
{
	return id == RWB_FUNCTION_NBD_QUEUE;
}

/* Whether only the call of the function is of interest. */
static bool rwb_needs_no_exit(u32 id)
{
	switch (id) {
	case RWB_FUNCTION_ZSWAP_STORE:
	case RWB_FUNCTION_SHRINK_SLAB:
	case RWB_FUNCTION_NBD_QUEUE:
	case RWB_FUNCTION_PSI_LEAVE:
	case RWB_FUNCTION_PSI_ENTER:
	case RWB_FUNCTION_REFAULT:
		return true;
	default:
		return false;
	}
}

#ifdef RWB_FTRACE
/*
 * Passes a call to Rust. It guards against recursion itself, so that the callbacks do without
 * FTRACE_OPS_FL_RECURSION.
 */
static noinline notrace void rwb_ftrace_pass_call(struct rwb_function *fn, unsigned long ip,
						  unsigned long parent_ip, unsigned long a,
						  unsigned long b)
{
	int bit = ftrace_test_recursion_trylock(ip, parent_ip);

	if (bit < 0) {
		atomic_long_inc(&fn->missed);
		return;
	}

	{
		RWB_ENTER(at);
		rwb_rs_function_entry(fn->data, &at, fn->id, a, b);
	}
	ftrace_test_recursion_unlock(bit);
}

static void notrace rwb_ftrace_called(unsigned long ip, unsigned long parent_ip,
				      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct rwb_function *fn = container_of(ops, struct rwb_function, ops);
	unsigned long a = ftrace_regs_get_argument(fregs, rwb_first_arg(fn->id));
	unsigned long b = ftrace_regs_get_argument(fregs, 1);

	if (rwb_prepare_args(fn, &a, &b, parent_ip))
		rwb_ftrace_pass_call(fn, ip, parent_ip, a, b);
}

/* Passes a folio that came back to Rust, with the number of pages for which it stands. */
static noinline notrace void rwb_refault_look(struct rwb_function *fn, unsigned long ip,
					      unsigned long parent_ip, const struct folio *folio)
{
	u32 pages;

	{
		guard(preempt_notrace)();
		pages = rwb_refaults_taken(rwb_is_file(folio));
	}
	if (pages)
		rwb_ftrace_pass_call(fn, ip, parent_ip, (unsigned long)folio, pages);
}

/*
 * The same for workingset_refault(), which is called for each page that comes back. Most calls are
 * passed over before anything else is done. Nothing that is called here calls the function again.
 */
static void notrace rwb_refault_called(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct folio *folio = (void *)ftrace_regs_get_argument(fregs, 0);

	if (unlikely(rwb_refault_due(folio)))
		rwb_refault_look(container_of(ops, struct rwb_function, ops), ip, parent_ip,
				 folio);
}

static int rwb_ftrace_register(struct rwb_function *fn)
{
	int err;

	fn->ops.func = fn->id == RWB_FUNCTION_REFAULT ? rwb_refault_called : rwb_ftrace_called;
	err = ftrace_set_filter(&fn->ops, fn->sym, strlen(fn->sym), 1);
	if (!err)
		err = register_ftrace_function(&fn->ops);
	if (err)
		ftrace_free_filter(&fn->ops);
	/* ftrace returns -EINVAL if there is no such function. */
	return err == -EINVAL ? -ENOENT : err;
}

static void rwb_ftrace_unregister(struct rwb_function *fn)
{
	unregister_ftrace_function(&fn->ops);
	ftrace_free_filter(&fn->ops);
}

static unsigned long rwb_ftrace_missed(struct rwb_function *fn)
{
	return atomic_long_read(&fn->missed);
}
#else
static int rwb_ftrace_register(struct rwb_function *fn)
{
	return -EOPNOTSUPP;
}

static void rwb_ftrace_unregister(struct rwb_function *fn)
{
}

static unsigned long rwb_ftrace_missed(struct rwb_function *fn)
{
	return 0;
}
#endif

#ifdef CONFIG_FPROBE
/*
 * Returns 1 if the exit of this call is of no interest. @entry_data is NULL if that holds for all
 * calls of the function.
 */
static int rwb_fprobe_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			    struct ftrace_regs *fregs, void *entry_data)
{
	struct rwb_function *fn = container_of(fp, struct rwb_function, fprobe);
	unsigned long a = ftrace_regs_get_argument(fregs, rwb_first_arg(fn->id));
	unsigned long b = ftrace_regs_get_argument(fregs, 1);
	struct rwb_call *call = entry_data;
	u32 handlers;

	RWB_ENTER(at);
	if (!rwb_prepare_args(fn, &a, &b, ret_ip))
		return 1;
	handlers = rwb_rs_function_entry(fn->data, &at, fn->id, a, b);
	if (!call)
		return 0;
	call->id = fn->id;
	call->handlers = handlers;
	return !handlers;
}

static void rwb_fprobe_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			    struct ftrace_regs *fregs, void *entry_data)
{
	struct rwb_function *fn = container_of(fp, struct rwb_function, fprobe);
	struct rwb_call *call = entry_data;

	if (call->id != fn->id)
		return;

	RWB_ENTER(at);
	rwb_rs_function_exit(fn->data, &at, fn->id, call->handlers,
			     ftrace_regs_get_return_value(fregs));
}

static int rwb_fprobe_register(struct rwb_function *fn)
{
	const char *sym = fn->sym;

	fn->fprobe.entry_handler = rwb_fprobe_entry;
	/* Without an exit handler a call costs less in the kernel. */
	if (!rwb_needs_no_exit(fn->id)) {
		fn->fprobe.exit_handler = rwb_fprobe_exit;
		fn->fprobe.entry_data_size = sizeof(struct rwb_call);
	}
	/* Functions of modules are only found by a filter. */
	if (rwb_in_module(fn->id))
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
/* Returns 1 if the exit of this call is of no interest. */
static int rwb_kret_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct rwb_function *fn = container_of(get_kretprobe(ri), struct rwb_function, kret);
	unsigned long a = regs_get_kernel_argument(regs, rwb_first_arg(fn->id));
	unsigned long b = regs_get_kernel_argument(regs, 1);
	struct rwb_call *call = (void *)ri->data;

	RWB_ENTER(at);
	/*
	 * Until the kernel has optimised the probe to a jump, it is a trap, which counts as an NMI.
	 * The function runs in the context that the trap interrupted. No NMI calls our functions.
	 */
	if (in_nmi() && at.ctx == RWB_CTX_SOFTIRQ &&
	    !((preempt_count() - NMI_OFFSET - HARDIRQ_OFFSET) &
	      (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)))
		at.ctx = RWB_CTX_TASK;
	if (!rwb_prepare_args(fn, &a, &b, get_kretprobe_retaddr(ri)))
		return 1;
	call->handlers = rwb_rs_function_entry(fn->data, &at, fn->id, a, b);
	return !call->handlers;
}

static int rwb_kret_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kretprobe *rp = get_kretprobe(ri);
	struct rwb_call *call = (void *)ri->data;
	struct rwb_function *fn;

	/* The probe was unregistered while the function ran. */
	if (!rp)
		return 0;
	fn = container_of(rp, struct rwb_function, kret);

	RWB_ENTER(at);
	rwb_rs_function_exit(fn->data, &at, fn->id, call->handlers, regs_return_value(regs));
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
 * Returns how often the kernel skipped the probe because it was hit while the handler of another
 * one ran (kprobe_running()). Handlers run with preemption disabled, so such a hit is in an
 * interrupt. An interrupt is no part of a stall.
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
	int err = -EOPNOTSUPP;

	if (rwb_needs_no_exit(fn->id)) {
		fn->method = RWB_BY_FTRACE;
		err = rwb_ftrace_register(fn);
	}
	if (err == -EOPNOTSUPP) {
		fn->method = RWB_BY_FPROBE;
		err = rwb_fprobe_register(fn);
	}
	/* If a function of a module is not there yet, it may come with the module. */
	if (err == -EOPNOTSUPP || (err == -ENOENT && !rwb_in_module(fn->id))) {
		fn->method = RWB_BY_KRETPROBE;
		err = rwb_kret_register(fn);
	}
	return err;
}

/* Probes function @id for @data. Returns a handle, or NULL with @err set. Sleeps. */
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

/* Returns the number of the form in which the function is probed. */
u32 rwb_function_probe_form(void *handle)
{
	struct rwb_function *fn = handle;

	return fn->form;
}

/*
 * Returns the number of calls that the probe did not see. @interrupts is set to the number of calls
 * in interrupts of handlers, which are not included.
 */
unsigned long rwb_function_probe_missed(void *handle, unsigned long *interrupts)
{
	struct rwb_function *fn = handle;

	*interrupts = 0;
	switch (fn->method) {
	case RWB_BY_FTRACE:
		return rwb_ftrace_missed(fn);
	case RWB_BY_FPROBE:
		return rwb_fprobe_missed(fn);
	case RWB_BY_KRETPROBE:
		*interrupts = rwb_kret_interrupts(fn);
		return rwb_kret_missed(fn);
	}
	return 0;
}

/* Removes the probe. Sleeps until no handler of it runs any more. */
void rwb_function_probe_unregister(void *handle)
{
	struct rwb_function *fn = handle;

	switch (fn->method) {
	case RWB_BY_FTRACE:
		rwb_ftrace_unregister(fn);
		break;
	case RWB_BY_FPROBE:
		rwb_fprobe_unregister(fn);
		break;
	case RWB_BY_KRETPROBE:
		rwb_kret_unregister(fn);
		break;
	}
	kfree(fn);
}

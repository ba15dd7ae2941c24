// SPDX-License-Identifier: GPL-2.0
/*
 * Function probes, for what 7.3 has no tracepoint for: RWB_FUNCTIONS in words.h.
 * What a function is probed for, and which of its arguments count, is
 * rust/probes/function.rs's.
 *
 * A function of which the call alone is of interest has a callback of ftrace itself;
 * one whose return is, too, has an fprobe, which costs some 400 instructions more for
 * a call, and 700 for a return.  A function that is "inline" in its source is hidden
 * from ftrace though the compiler left it whole, and gets a kretprobe.
 *
 * Context of the handlers: the function's own, mostly of a task that reclaims,
 * may be preempted; they never sleep. Registration sleeps.
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

/* Where a callback of ftrace gets a function's arguments. */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#define RWB_FTRACE
#endif

/* Calls that a kretprobe follows at a time; more are counted as missed. */
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

/* How a function is probed. */
enum rwb_means { RWB_BY_FTRACE, RWB_BY_FPROBE, RWB_BY_KRETPROBE };

struct rwb_function {
#ifdef RWB_FTRACE
	struct ftrace_ops ops;
	unsigned long missed;
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
	enum rwb_means means;
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

/* For how many pages a folio that came back stands; 0: for none. Any context. */
static __always_inline u32 rwb_refault_stands_for(unsigned long addr)
{
	struct folio *folio = (struct folio *)addr;
	u32 pages = folio_nr_pages(folio);
	/* As folio_is_file_lru() has it: pages of shmem go to swap. */
	bool file = !folio_test_swapbacked(folio);

	if (likely(file ? !rwb_sample_due(rwb_refaults_file, pages) :
			  !rwb_sample_due(rwb_refaults_anon, pages)))
		return 0;
	guard(preempt_notrace)();
	return rwb_refaults_taken(file);
}

/*
 * What Rust is told of a call: its first two arguments @a and @b, or of a function that is
 * not about these what it is about. @caller is where it returns to. False if Rust need not
 * be told. Preemption is off.
 */
static __always_inline bool rwb_about(const struct rwb_function *fn, unsigned long *a,
				      unsigned long *b, unsigned long caller)
{
	bool on;
#if RWB_SWAP_IOCB
	struct swap_io_ctx *ctx;
	bool sync;
#endif

	/* The compiler may have left out some. */
	if (fn->form) {
		*a = 0;
		*b = 0;
		return true;
	}

	switch (fn->id) {
	case RWB_FUNCTION_SWAP_SUBMIT:
#if RWB_SWAP_IOCB
		ctx = (void *)*a;
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
		/* Anything else is refused. */
		*a = !kstrtobool((const char *)*a, &on) && on;
		break;
	case RWB_FUNCTION_WAIT_BIT:
	case RWB_FUNCTION_WAIT_BIT_KILLABLE:
	case RWB_FUNCTION_WAIT_BIT_COMMON:
		/* Until it is written is another matter. */
		if (*b != PG_locked)
			*a = 0;
		break;
	case RWB_FUNCTION_SWAP_READ:
#if RWB_SWAP_IOCB
		ctx = (void *)*a;
		/* Other flags change meanwhile, not this one. */
		sync = data_race(ctx->sis->flags) & SWP_SYNCHRONOUS_IO;
		if (sync && (READ_ONCE(rwb_reads_followed) || rwb_in_memstall() ||
			     !rwb_sample_due(rwb_swapins, 1)))
			return false;
		*b = sync ? 1UL << 32 | rwb_swapins_taken() : 1;
		/* The first of the folios that are read stands for all. */
		*a = (unsigned long)page_folio(ctx->sio->bvecs[0].bv_page);
		return (u32)*b;
#else
		/* Whether it is read at once is in swap's own header. */
		*b = 1;
		break;
#endif
	case RWB_FUNCTION_REFAULT:
		*b = rwb_refault_stands_for(*a);
		return *b;
	}
	return true;
}

/* The call alone is of interest. */
static bool rwb_only_called(u32 id)
{
	switch (id) {
	case RWB_FUNCTION_ZSWAP_STORE:
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
/* Tells Rust of a call. ftrace itself need not guard it against recursion: no FL_RECURSION. */
static noinline notrace void rwb_ftrace_tells(struct rwb_function *fn, unsigned long ip,
					      unsigned long parent_ip, unsigned long a,
					      unsigned long b)
{
	int bit = ftrace_test_recursion_trylock(ip, parent_ip);

	if (bit < 0) {
		WRITE_ONCE(fn->missed, fn->missed + 1);
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
	unsigned long a = ftrace_regs_get_argument(fregs, rwb_first(fn->id));
	unsigned long b = ftrace_regs_get_argument(fregs, 1);

	if (rwb_about(fn, &a, &b, parent_ip))
		rwb_ftrace_tells(fn, ip, parent_ip, a, b);
}

/*
 * The same for a function that is called for each page that comes back: most are passed over
 * before anything else is done. Nothing here comes back to it meanwhile.
 */
static void notrace rwb_refault_called(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct rwb_function *fn = container_of(ops, struct rwb_function, ops);
	unsigned long folio = ftrace_regs_get_argument(fregs, 0);
	u32 pages = rwb_refault_stands_for(folio);

	if (unlikely(pages))
		rwb_ftrace_tells(fn, ip, parent_ip, folio, pages);
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
	/* It says EINVAL where it finds none. */
	return err == -EINVAL ? -ENOENT : err;
}

static void rwb_ftrace_unregister(struct rwb_function *fn)
{
	unregister_ftrace_function(&fn->ops);
	ftrace_free_filter(&fn->ops);
}

static unsigned long rwb_ftrace_missed(struct rwb_function *fn)
{
	return READ_ONCE(fn->missed);
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
/* Returns 1 when the exit is of no interest. There is no @entry_data where it never is. */
static int rwb_fprobe_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			    struct ftrace_regs *fregs, void *entry_data)
{
	struct rwb_function *fn = container_of(fp, struct rwb_function, fprobe);
	unsigned long a = ftrace_regs_get_argument(fregs, rwb_first(fn->id));
	unsigned long b = ftrace_regs_get_argument(fregs, 1);
	struct rwb_call *call = entry_data;
	u32 followed;

	RWB_ENTER(at);
	if (!rwb_about(fn, &a, &b, ret_ip))
		return 1;
	followed = rwb_rs_function_entry(fn->data, &at, fn->id, a, b);
	if (!call)
		return 0;
	call->id = fn->id;
	call->followed = followed;
	return !followed;
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

static int rwb_fprobe_register(struct rwb_function *fn)
{
	const char *sym = fn->sym;

	fn->fprobe.entry_handler = rwb_fprobe_entry;
	/* Without it a call costs the kernel less. */
	if (!rwb_only_called(fn->id)) {
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
	if (!rwb_about(fn, &a, &b, get_kretprobe_retaddr(ri)))
		return 1;
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
	int err = -EOPNOTSUPP;

	/* One of a module's comes and goes with it: fprobe follows that. */
	if (rwb_only_called(fn->id) && fn->id != RWB_FUNCTION_NBD_QUEUE) {
		fn->means = RWB_BY_FTRACE;
		err = rwb_ftrace_register(fn);
	}
	if (err == -EOPNOTSUPP) {
		fn->means = RWB_BY_FPROBE;
		err = rwb_fprobe_register(fn);
	}
	/* What is not there yet may come with its module. */
	if (err == -EOPNOTSUPP || (err == -ENOENT && fn->id != RWB_FUNCTION_NBD_QUEUE)) {
		fn->means = RWB_BY_KRETPROBE;
		err = rwb_kret_register(fn);
	}
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

	*interrupts = 0;
	switch (fn->means) {
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

/* Waits until no handler runs any more. */
void rwb_function_probe_unregister(void *handle)
{
	struct rwb_function *fn = handle;

	switch (fn->means) {
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

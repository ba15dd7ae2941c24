// SPDX-License-Identifier: GPL-2.0
/*
 * Function probe on zswap_store(): 7.3 has no tracepoint that tells a page
 * that zswap took from one that was all zeros, and both reach
 * mm_vmscan_write_folio in the same state.
 *
 * Context of the handlers: task context of the reclaimer, may be preempted;
 * they never sleep. Registration sleeps.
 */
#include <linux/err.h>
#include <linux/fprobe.h>
#include <linux/mm_types.h>
#include <linux/slab.h>

#include "entry.h"

#ifdef CONFIG_FPROBE

struct rwb_fprobe {
	struct fprobe fprobe;
	void *data;
};

static int rwb_zswap_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			   struct ftrace_regs *fregs, void *entry_data)
{
	/* bool zswap_store(struct folio *folio) */
	*(unsigned long *)entry_data = ftrace_regs_get_argument(fregs, 0);
	return 0;
}

static void rwb_zswap_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
			   struct ftrace_regs *fregs, void *entry_data)
{
	struct rwb_fprobe *rfp = container_of(fp, struct rwb_fprobe, fprobe);

	/* A bool comes back in the low byte; what is above it is undefined. */
	if (!(ftrace_regs_get_return_value(fregs) & 0xff))
		return;

	RWB_ENTER(at);
	rwb_rs_zswap_stored(rfp->data, &at, *(unsigned long *)entry_data);
}

/* Returns a handle, or NULL with @err set. */
void *rwb_zswap_probe_register(void *data, int *err)
{
	struct rwb_fprobe *rfp = kzalloc(sizeof(*rfp), GFP_KERNEL);
	const char *sym = "zswap_store";

	if (!rfp) {
		*err = -ENOMEM;
		return NULL;
	}
	rfp->data = data;
	rfp->fprobe.entry_handler = rwb_zswap_entry;
	rfp->fprobe.exit_handler = rwb_zswap_exit;
	rfp->fprobe.entry_data_size = sizeof(unsigned long);
	*err = register_fprobe_syms(&rfp->fprobe, &sym, 1);
	if (*err) {
		kfree(rfp);
		return NULL;
	}
	return rfp;
}

/* Waits until no handler runs any more. */
void rwb_zswap_probe_unregister(void *handle)
{
	struct rwb_fprobe *rfp = handle;

	unregister_fprobe(&rfp->fprobe);
	kfree(rfp);
}

#else /* !CONFIG_FPROBE */

void *rwb_zswap_probe_register(void *data, int *err)
{
	*err = -EOPNOTSUPP;
	return NULL;
}

void rwb_zswap_probe_unregister(void *handle)
{
}

#endif /* CONFIG_FPROBE */

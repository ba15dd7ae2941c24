// SPDX-License-Identifier: GPL-2.0
/*
 * The module's parameters: module! can only make read-once ones. Parsing is
 * the kernel's; range checks and the values themselves are rust/params.rs's.
 *
 * Context: process context, under kernel_param_lock; may run before the
 * module's init (from the insmod command line).
 */
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "shim.h"

#define RWB_PARAM_ENABLED		0
#define RWB_PARAM_HEADROOM_FLOOR	1
#define RWB_PARAM_WINDOW_SLOTS		2

static int rwb_set_ull(const char *val, const struct kernel_param *kp)
{
	unsigned long long v;
	int err = kstrtoull(val, 0, &v);

	return err ? -EINVAL : rwb_rs_param_set((uintptr_t)kp->arg, v);
}

static int rwb_set_bool(const char *val, const struct kernel_param *kp)
{
	bool v = true;
	int err = val ? kstrtobool(val, &v) : 0;

	return err ? -EINVAL : rwb_rs_param_set((uintptr_t)kp->arg, v);
}

static int rwb_get_ull(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%llu\n", rwb_rs_param_get((uintptr_t)kp->arg));
}

static int rwb_get_bool(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%c\n", rwb_rs_param_get((uintptr_t)kp->arg) ? 'Y' : 'N');
}

static const struct kernel_param_ops rwb_ull_ops = {
	.set = rwb_set_ull,
	.get = rwb_get_ull,
};

static const struct kernel_param_ops rwb_bool_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = rwb_set_bool,
	.get = rwb_get_bool,
};

module_param_cb(enabled, &rwb_bool_ops, (void *)RWB_PARAM_ENABLED, 0644);
MODULE_PARM_DESC(enabled, "Record (Y) or let events pass (N); windows are tracked either way. Default Y.");

module_param_cb(headroom_floor, &rwb_ull_ops, (void *)RWB_PARAM_HEADROOM_FLOOR, 0644);
MODULE_PARM_DESC(headroom_floor, "Stack bytes left below which the event reclaimwb:headroom_low fires, rate-limited. 0 (off) to the stack's size; default 2048.");

module_param_cb(window_slots, &rwb_ull_ops, (void *)RWB_PARAM_WINDOW_SLOTS, 0444);
MODULE_PARM_DESC(window_slots, "Tasks that can be inside reclaim at once and still be told apart; a power of two, 64 to 65536, default 1024. Set when loading.");

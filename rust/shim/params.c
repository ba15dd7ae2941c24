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

#define RWB_MODE(num, name)	[num] = name,

static const char * const rwb_modes[] = { RWB_MODES(RWB_MODE) };

static int rwb_set_mode(const char *val, const struct kernel_param *kp)
{
	int mode = sysfs_match_string(rwb_modes, val);

	if (mode < 0) {
		pr_err("handoff=%s: give never, low-headroom or always\n", val);
		return -EINVAL;
	}
	return rwb_rs_param_set((uintptr_t)kp->arg, mode);
}

static int rwb_get_mode(char *buf, const struct kernel_param *kp)
{
	u64 mode = rwb_rs_param_get((uintptr_t)kp->arg);

	return sysfs_emit(buf, "%s\n", mode < ARRAY_SIZE(rwb_modes) ? rwb_modes[mode] : "?");
}

static const struct kernel_param_ops rwb_mode_ops = {
	.set = rwb_set_mode,
	.get = rwb_get_mode,
};

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

module_param_cb(write_around, &rwb_bool_ops, (void *)RWB_PARAM_WRITE_AROUND, 0644);
MODULE_PARM_DESC(write_around, "Write the windows around dirty file pages that reclaim meets (Y) or leave reclaim as it is (N). Default Y where the kernel can.");

module_param_cb(window, &rwb_ull_ops, (void *)RWB_PARAM_WINDOW, 0644);
MODULE_PARM_DESC(window, "KiB of a file, aligned, that are looked at around such a page; a power of two, 64 to 4096, default 1024.");

module_param_cb(request_cost, &rwb_ull_ops, (void *)RWB_PARAM_REQUEST_COST, 0644);
MODULE_PARM_DESC(request_cost, "What one more request costs the device, in pages written: how many neighbours go along. 0 to 1024, default 256.");

module_param_cb(inflight, &rwb_ull_ops, (void *)RWB_PARAM_INFLIGHT, 0644);
MODULE_PARM_DESC(inflight, "KiB under writeback on a device through write-around at most; 256 to 65536, default 16384.");

module_param_cb(ring_pages, &rwb_ull_ops, (void *)RWB_PARAM_RING_PAGES, 0644);
MODULE_PARM_DESC(ring_pages, "Pages of a node, or requests for a swap device, that may wait to be written; 64 to 65536, default 4096. Used when write_around or handoff is switched on.");

module_param_cb(handoff, &rwb_mode_ops, (void *)RWB_PARAM_HANDOFF, 0644);
MODULE_PARM_DESC(handoff, "When reclaim hands swap-out to a writer instead of writing on its own stack: never, low-headroom (when less than handoff_floor is left), always. Default always where the kernel can.");

module_param_cb(handoff_floor, &rwb_ull_ops, (void *)RWB_PARAM_HANDOFF_FLOOR, 0644);
MODULE_PARM_DESC(handoff_floor, "Stack bytes left below which low-headroom hands off; 0 to the stack's size, default 8192.");

module_param_cb(stalls, &rwb_bool_ops, (void *)RWB_PARAM_STALLS, 0644);
MODULE_PARM_DESC(stalls, "Time where stalled tasks lose their time (Y) or not (N). Default Y.");

module_param_cb(shrinkers, &rwb_bool_ops, (void *)RWB_PARAM_SHRINKERS, 0644);
MODULE_PARM_DESC(shrinkers, "Count the calls of shrinkers, by origin and cgroup (Y), or not (N). Default Y.");

module_param_cb(tlb, &rwb_bool_ops, (void *)RWB_PARAM_TLB, 0644);
MODULE_PARM_DESC(tlb, "Count and time flushes of other CPUs' TLBs by reclaim (Y) or not (N). Hot. Default N.");

module_param_cb(metadata, &rwb_bool_ops, (void *)RWB_PARAM_METADATA, 0644);
MODULE_PARM_DESC(metadata, "Count metadata of filesystems that reclaim evicts and that is read again (Y) or not (N). Hot. Default N.");

module_param_cb(takers, &rwb_bool_ops, (void *)RWB_PARAM_TAKERS, 0644);
MODULE_PARM_DESC(takers, "While a task compacts memory, note who else takes large blocks (Y) or not (N). Hot. Default N.");

module_param_cb(reserves, &rwb_bool_ops, (void *)RWB_PARAM_RESERVES, 0644);
MODULE_PARM_DESC(reserves, "Note who takes pages from the reserves, and who waits for them (Y), or not (N). Default Y.");
module_param_cb(nbd, &rwb_bool_ops, (void *)RWB_PARAM_NBD, 0644);
MODULE_PARM_DESC(nbd, "Follow each request of NBD devices through its phases (Y) or not (N). Default Y.");

module_param_cb(waits, &rwb_bool_ops, (void *)RWB_PARAM_WAITS, 0644);
MODULE_PARM_DESC(waits, "Account for tasks' waits for memory, as PSI does, by what they wait for (Y), or not (N). Default Y.");

// SPDX-License-Identifier: GPL-2.0
/*
 * The module's parameters: module! can only make read-once ones. Parsing is
 * the kernel's; rust/control/parameters.rs checks ranges, rust/settings.rs holds the values.
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
		pr_err("handoff=%s: set it to never, low-headroom or always\n", val);
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
MODULE_PARM_DESC(enabled, "Record events (Y), or detach all probes (N). Default Y.");

module_param_cb(headroom_floor, &rwb_ull_ops, (void *)RWB_PARAM_HEADROOM_FLOOR, 0644);
MODULE_PARM_DESC(headroom_floor, "Stack headroom in bytes below which the event reclaimwb:headroom_low fires, rate-limited. Range 0 (off) to the size of a stack; default 2048.");

module_param_cb(window_slots, &rwb_ull_ops, (void *)RWB_PARAM_WINDOW_SLOTS, 0444);
MODULE_PARM_DESC(window_slots, "Number of tasks that can be told apart while they are inside reclaim at the same time. A power of two, 64 to 65536; default 1024. Can only be set when the module is loaded.");

module_param_cb(write_around, &rwb_bool_ops, (void *)RWB_PARAM_WRITE_AROUND, 0644);
MODULE_PARM_DESC(write_around, "Write clusters of dirty file pages around those that reclaim meets (Y), or leave reclaim as it is (N). Default Y if the kernel has the writeback helper.");

module_param_cb(window, &rwb_ull_ops, (void *)RWB_PARAM_WINDOW, 0644);
MODULE_PARM_DESC(window, "Size in KiB of the aligned part of a file that is searched for dirty pages around one that reclaim meets. A power of two, 64 to 4096; default 1024.");

module_param_cb(request_cost, &rwb_ull_ops, (void *)RWB_PARAM_REQUEST_COST, 0644);
MODULE_PARM_DESC(request_cost, "Cost of one more request to the device, in pages written: the higher it is, the more neighbours are written together. Range 0 to 1024; default 256.");

module_param_cb(inflight, &rwb_ull_ops, (void *)RWB_PARAM_INFLIGHT, 0644);
MODULE_PARM_DESC(inflight, "Most KiB that write-around keeps under writeback on one device. Range 256 to 65536; default 16384.");

module_param_cb(ring_pages, &rwb_ull_ops, (void *)RWB_PARAM_RING_PAGES, 0644);
MODULE_PARM_DESC(ring_pages, "Number of pages of a node, or of requests for a swap device, that can wait to be written. Range 64 to 65536; default 4096. Takes effect when write_around or handoff is next switched on.");

module_param_cb(handoff, &rwb_mode_ops, (void *)RWB_PARAM_HANDOFF, 0644);
MODULE_PARM_DESC(handoff, "When reclaim hands swap-out to a writer instead of writing on its own stack: never, low-headroom (when less than handoff_floor is left) or always. Default always if the kernel has the writeback helper.");

module_param_cb(handoff_floor, &rwb_ull_ops, (void *)RWB_PARAM_HANDOFF_FLOOR, 0644);
MODULE_PARM_DESC(handoff_floor, "Stack headroom in bytes below which low-headroom hands swap-out over. Range 0 to the size of a stack; default 8192.");

module_param_cb(stalls, &rwb_bool_ops, (void *)RWB_PARAM_STALLS, 0644);
MODULE_PARM_DESC(stalls, "Record what stalled tasks spend their time on (Y), or not (N). Default Y.");

module_param_cb(shrinkers, &rwb_bool_ops, (void *)RWB_PARAM_SHRINKERS, 0644);
MODULE_PARM_DESC(shrinkers, "Count calls of shrinkers by origin and cgroup (Y), or not (N). Default Y.");

module_param_cb(tlb, &rwb_bool_ops, (void *)RWB_PARAM_TLB, 0644);
MODULE_PARM_DESC(tlb, "Count and time the TLB flushes that reclaim sends to other CPUs (Y), or not (N). On a hot path. Default N.");

module_param_cb(metadata, &rwb_bool_ops, (void *)RWB_PARAM_METADATA, 0644);
MODULE_PARM_DESC(metadata, "Count filesystem metadata that reclaim evicts and that is read again (Y), or not (N). On a hot path. Default N.");

module_param_cb(takers, &rwb_bool_ops, (void *)RWB_PARAM_TAKERS, 0644);
MODULE_PARM_DESC(takers, "Record which tasks take large blocks while another task compacts memory (Y), or not (N). On a hot path. Default N.");

module_param_cb(reserves, &rwb_bool_ops, (void *)RWB_PARAM_RESERVES, 0644);
MODULE_PARM_DESC(reserves, "Record which tasks take pages from the reserves, and which wait for them (Y), or not (N). Default Y.");

module_param_cb(nbd, &rwb_bool_ops, (void *)RWB_PARAM_NBD, 0644);
MODULE_PARM_DESC(nbd, "Follow each request to an NBD device through its phases (Y), or not (N). Default Y.");

module_param_cb(waits, &rwb_bool_ops, (void *)RWB_PARAM_WAITS, 0644);
MODULE_PARM_DESC(waits, "Account for the time that tasks wait for memory, as PSI does, by what they wait for (Y), or not (N). Default Y.");

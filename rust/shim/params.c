// SPDX-License-Identifier: GPL-2.0
/*
 * The parameters of the module. module! can only make parameters that are read once, when the
 * module is loaded. words.h has the parameters, generated from rust/words/parameter.rs. The
 * kernel's functions parse the values, rust/control/parameters.rs checks their bounds, and
 * rust/settings.rs holds them.
 *
 * Context: process context, under kernel_param_lock. For the command line of insmod, these
 * functions run before the module's init.
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

#define RWB_PARAM(num, name, type, mode, about)					\
	module_param_cb(name, &rwb_##type##_ops, (void *)num, mode);	\
	MODULE_PARM_DESC(name, about);

RWB_PARAMS(RWB_PARAM)

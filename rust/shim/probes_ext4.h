/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The probe entries for ext4's events. They are not in probes.h, because the header of the events
 * uses types that only ext4's own header has. If that header changes, only these events are
 * missing, and the module still builds.
 */
#ifndef RWB_PROBES_EXT4_H
#define RWB_PROBES_EXT4_H

#include <linux/fs.h>
#include <linux/jbd2.h>

/* None of our events has an argument of these types. */
#define ext4_grpblk_t	int
#define ext4_fsblk_t	unsigned long long
#define ext4_lblk_t	__u32
#define ext4_group_t	unsigned int

#include <trace/events/ext4.h>

void rwb_probe_ext4_read_block_bitmap_load(void *data, struct super_block *sb, unsigned long group,
					   bool prefetch);
void rwb_probe_ext4_load_inode_bitmap(void *data, struct super_block *sb, unsigned long group);

#endif /* RWB_PROBES_EXT4_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for the bitmaps that ext4 reads.
 *
 * Context: process context, where the task may sleep.
 */
#include "entry.h"

#if RWB_HAVE_ext4_read_block_bitmap_load || RWB_HAVE_ext4_load_inode_bitmap
#include "probes_ext4.h"
#endif

#if RWB_HAVE_ext4_read_block_bitmap_load
void rwb_probe_ext4_read_block_bitmap_load(void *data, struct super_block *sb, unsigned long group,
					   bool prefetch)
{
	RWB_ENTER(at);
	rwb_rs_bitmap(data, &at, sb->s_dev, group, false);
}
#endif

#if RWB_HAVE_ext4_load_inode_bitmap
void rwb_probe_ext4_load_inode_bitmap(void *data, struct super_block *sb, unsigned long group)
{
	RWB_ENTER(at);
	rwb_rs_bitmap(data, &at, sb->s_dev, group, true);
}
#endif

const struct rwb_entry rwb_ext4_entries[] = {
	RWB_ROW(ext4_read_block_bitmap_load),
	RWB_ROW(ext4_load_inode_bitmap),
	{ }
};

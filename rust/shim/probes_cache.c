// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for the page cache and the page allocator.
 *
 * Context: when a folio leaves the page cache, under the mapping's xa_lock, with interrupts off.
 * When one enters it, or a page is allocated, any context that may allocate. These events are hot.
 * Their entries only find out whether the folio is in the page cache of a block device itself, or
 * whether more than a page is allocated.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "probes.h"
#include "entry.h"

/*
 * Whether the folio is in the page cache of a block device itself; sets @dev if it is. The folio is
 * locked, so its mapping stays.
 */
static __always_inline bool rwb_of_device(struct folio *folio, u32 *dev)
{
	struct address_space *mapping = folio->mapping;

	if (!mapping || !mapping->host || !S_ISBLK(mapping->host->i_mode))
		return false;
	*dev = mapping->host->i_rdev;
	return true;
}

#if RWB_HAVE_mm_filemap_delete_from_page_cache
void rwb_probe_mm_filemap_delete_from_page_cache(void *data, struct folio *folio)
{
	u32 dev;

	if (likely(!rwb_of_device(folio, &dev)))
		return;

	RWB_ENTER(at);
	rwb_rs_folio_gone(data, &at, dev, folio->index, folio_nr_pages(folio));
}
#endif

#if RWB_HAVE_mm_filemap_add_to_page_cache
void rwb_probe_mm_filemap_add_to_page_cache(void *data, struct folio *folio)
{
	u32 dev;

	if (likely(!rwb_of_device(folio, &dev)))
		return;

	RWB_ENTER(at);
	rwb_rs_folio_added(data, &at, dev, folio->index, folio_nr_pages(folio));
}
#endif

#if RWB_HAVE_mm_page_alloc
void rwb_probe_mm_page_alloc(void *data, struct page *page, unsigned int order, gfp_t gfp_flags,
			     int migratetype)
{
	/* Tasks that compact want more than a page. */
	if (likely(!order) || !page)
		return;

	RWB_ENTER(at);
	rwb_rs_page_alloc(data, &at, order);
}
#endif

const struct rwb_entry rwb_cache_entries[] = {
	RWB_ROW(mm_filemap_delete_from_page_cache),
	RWB_ROW(mm_filemap_add_to_page_cache),
	RWB_ROW(mm_page_alloc),
	{ }
};

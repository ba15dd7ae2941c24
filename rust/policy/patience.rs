// SPDX-License-Identifier: GPL-2.0

//! Decides whether to scan on or to wait for writeback.
//!
//! A reclaimer that freed nothing of a batch may find clean pages further on, or may wait for pages
//! that are on their way to the disk. Neither time is known beforehand. So it scans for as long as
//! the wait would take, and then waits. That takes at most twice the time of the better choice (the
//! ski rental problem: Karlin, Manasse, Rudolph and Sleator, 1988). Where the disk takes a window
//! in a few milliseconds, it waits at once. Where each page is a request of its own, it waits after
//! much of the list.
//!
//! It never scans all of the list. What is scanned without waiting counts towards the OOM killer,
//! which is asked after 16 vain passes, each over the list about twice.

/// The number of pages in a batch (SWAP_CLUSTER_MAX), for which a waiter also waits.
const BATCH: u64 = 32;

/// The approximate cost of a batch that frees nothing, in nanoseconds.
const SCAN_NS: u64 = 30_000;

/// A wait shorter than this, in nanoseconds, hardly counts as one: nothing is scanned in its place.
const SHORT_NS: u64 = 8_000_000;

/// The most batches to scan in place of waiting.
pub const MOST: u64 = 512;

/// The same on behalf of a cgroup, whose lists may be short.
pub const MOST_FOR_CGROUP: u64 = 4;

/// If at least one page in this many is clean, some batches are scanned before any wait.
const CLEAN_SHARE: u64 = 8;

/// The state of a node's page cache, in pages.
#[derive(Clone, Copy, Debug)]
pub struct PageCache {
    /// All pages.
    pub pages: u64,
    /// Pages that are dirty or under writeback.
    pub dirty: u64,
}

impl PageCache {
    /// Whether so little of the cache is clean that more than [`CLEAN_SHARE`] pages must be scanned
    /// for one that can be freed.
    pub const fn mostly_dirty(&self) -> bool {
        let clean = self.pages.saturating_sub(self.dirty);
        clean.saturating_mul(CLEAN_SHARE) < self.pages
    }

    /// Returns the most batches to scan in place of waiting: a quarter of the list.
    const fn most(&self) -> u64 {
        let n = self.pages / BATCH / 4;
        if n < MOST {
            n
        } else {
            MOST
        }
    }
}

/// Returns the number of batches to scan in vain before waiting, when it takes `ns_per_page` (0 if
/// not known) to write a page. `cache` is `None` on behalf of a cgroup.
pub const fn batches(ns_per_page: u64, cache: Option<PageCache>) -> u64 {
    let wait_ns = ns_per_page.saturating_mul(BATCH);
    let scan = if wait_ns < SHORT_NS {
        0
    } else {
        wait_ns / SCAN_NS
    };
    let (scan, most) = match cache {
        None => (scan, MOST_FOR_CGROUP),
        Some(cache) if cache.mostly_dirty() => (scan, cache.most()),
        // The cache has clean pages to be found.
        Some(cache) => (if scan < BATCH { BATCH } else { scan }, cache.most()),
    };
    if scan < most {
        scan
    } else {
        most
    }
}

/// Returns the new `ns_per_page` after a window of `pages` took `ns` more: a running mean over
/// about four windows.
pub const fn mean(ns_per_page: u64, pages: u32, ns: u64) -> u64 {
    let Some(now) = ns.checked_div(pages as u64) else {
        return ns_per_page;
    };
    if ns_per_page == 0 {
        return now;
    }
    ns_per_page
        .saturating_sub(ns_per_page / 4)
        .saturating_add(now / 4)
}

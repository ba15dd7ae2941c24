// SPDX-License-Identifier: GPL-2.0

//! Scan on, or wait for writeback?
//!
//! A reclaimer that freed nothing of a batch may find clean pages further on, or may
//! wait for those on their way to the disk. Neither is known beforehand; so it scans
//! for as long as the wait would take, and then waits: at most twice the time of the
//! better choice (the ski rental problem: Karlin, Manasse, Rudolph and Sleator,
//! 1988). Where the disk takes a window in a few milliseconds that is at once; where
//! each page is a request of its own, after much of the list.
//!
//! Never after all of it: what is scanned without waiting counts towards the OOM
//! killer, which is asked after 16 vain passes, each over the list about twice.

/// Pages of a batch (SWAP_CLUSTER_MAX), and what a waiter waits for.
const BATCH: u64 = 32;

/// What a batch costs that frees nothing, about, in nanoseconds.
const SCAN_NS: u64 = 30_000;

/// A wait that is shorter is hardly one: no scanning instead.
const SHORT_NS: u64 = 8_000_000;

/// Most batches to scan in place of waiting.
pub const MOST: u64 = 512;

/// The same on behalf of a cgroup, whose lists may be short.
pub const MOST_FOR_CGROUP: u64 = 4;

/// Batches that are scanned where one page in this many is clean.
const CLEAN_SHARE: u64 = 8;

/// What is known of a node's page cache, in pages.
#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// All of it.
    pub pages: u64,
    /// Dirty or under writeback.
    pub dirty: u64,
}

impl Cache {
    /// Is so little of it clean that more than [`CLEAN_SHARE`] pages must be scanned
    /// for one that can be freed?
    pub const fn mostly_dirty(&self) -> bool {
        let clean = self.pages.saturating_sub(self.dirty);
        clean.saturating_mul(CLEAN_SHARE) < self.pages
    }

    /// Most batches to scan in place of waiting: a quarter of the list.
    const fn most(&self) -> u64 {
        let n = self.pages / BATCH / 4;
        if n < MOST {
            n
        } else {
            MOST
        }
    }
}

/// Batches to scan in vain before waiting, when a page takes `ns_per_page` to be
/// written (0: not known). `None` for the cache on behalf of a cgroup.
pub const fn batches(ns_per_page: u64, cache: Option<Cache>) -> u64 {
    let wait_ns = ns_per_page.saturating_mul(BATCH);
    let scan = if wait_ns < SHORT_NS {
        0
    } else {
        wait_ns / SCAN_NS
    };
    let (scan, most) = match cache {
        None => (scan, MOST_FOR_CGROUP),
        Some(cache) if cache.mostly_dirty() => (scan, cache.most()),
        // There is something to be found.
        Some(cache) => (if scan < BATCH { BATCH } else { scan }, cache.most()),
    };
    if scan < most {
        scan
    } else {
        most
    }
}

/// `ns_per_page`, and that a window of `pages` took `ns` more: a running mean over
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

// SPDX-License-Identifier: GPL-2.0

//! Scan on, or wait for writeback?
//!
//! A reclaimer that freed nothing of a batch may find clean pages further on, or may
//! wait for those on their way to the disk. Neither is known beforehand; so it scans
//! for as long as the wait would take, and then waits: at most twice the time of the
//! better choice (the ski rental problem: Karlin, Manasse, Rudolph and Sleator,
//! 1988). Where the disk takes a window in a few milliseconds that is at once; where
//! each page is a request of its own, after much of the list.

/// Pages of a batch (SWAP_CLUSTER_MAX), and what a waiter waits for.
const BATCH: u64 = 32;

/// What a batch costs that frees nothing, about, in nanoseconds.
const SCAN_NS: u64 = 30_000;

/// Most batches to scan before waiting: half of a gigabyte's pages, in ever new
/// rounds, are not worth it.
pub const MOST: u32 = 512;

/// Batches to scan in vain before waiting, when a page takes `ns_per_page` to be
/// written (0: not known).
pub const fn batches(ns_per_page: u64) -> u32 {
    let n = ns_per_page.saturating_mul(BATCH) / SCAN_NS;
    // A wait that is shorter than a tick is hardly one.
    if n < 8_000_000 / SCAN_NS {
        0
    } else if n > MOST as u64 {
        MOST
    } else {
        n as u32
    }
}

/// `ns_per_page`, and that a window of `pages` took `ns` more: a running mean over
/// about four windows.
pub const fn mean(ns_per_page: u64, pages: u32, ns: u64) -> u64 {
    if pages == 0 {
        return ns_per_page;
    }
    let now = ns / pages as u64;
    if ns_per_page == 0 {
        return now;
    }
    ns_per_page - ns_per_page / 4 + now / 4
}

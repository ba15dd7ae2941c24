// SPDX-License-Identifier: GPL-2.0

//! The handoff ledger: what became of the swap-out requests that reclaim prepared, by
//! origin.
//!
//! One instance per CPU, written with preemption off by the hook (in the reclaiming
//! task) and by the writers. Books that balance once all is quiet: taken = written.

use crate::{
    kernel_ext::cell::Cell64,
    policy::log2,
    tables::hist::Hist,
    words::{
        Origin,
        Refusal, //
    },
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use pin_init::Zeroable;

/// What one origin asked.
#[derive(Zeroable)]
pub(crate) struct OriginHandoff {
    /// Requests and pages that were taken.
    pub(crate) taken: [Cell64; 2],
    refused: [Cell64; Refusal::COUNT],
    /// Times that it waited for room, after it had handed over, and microseconds.
    pub(crate) waits: [Cell64; 2],
    /// Waits by microseconds, log2.
    pub(crate) waits_hist: Hist,
    /// Times that it waited for writeback, for us or for others, and microseconds.
    pub(crate) throttled: [Cell64; 2],
}

impl OriginHandoff {
    /// Requests that were refused, for one reason.
    pub(crate) fn refused(&self, why: Refusal) -> u64 {
        self.refused.get(why as usize).map_or(0, Cell64::get)
    }
}

/// The writers' requests. Not per CPU: they end in any context, and are few.
pub(crate) struct Requests {
    /// That are done, and pages in them.
    pub(crate) done: [Atomic<u64>; 2],
    /// Of these, how many failed.
    pub(crate) errors: Atomic<u64>,
    /// Microseconds from submitted to done.
    pub(crate) us: Atomic<u64>,
    us_hist: [Atomic<u64>; log2::BUCKETS],
}

impl Requests {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self {
            done: [const { Atomic::new(0) }; 2],
            errors: Atomic::new(0),
            us: Atomic::new(0),
            us_hist: [const { Atomic::new(0) }; log2::BUCKETS],
        }
    }

    /// Counts one of `pages` that took `us`. Any context.
    pub(crate) fn count(&self, pages: u32, us: u64, failed: bool) {
        let [requests, all] = &self.done;
        requests.fetch_add(1, Relaxed);
        all.fetch_add(u64::from(pages), Relaxed);
        self.errors.fetch_add(u64::from(failed), Relaxed);
        self.us.fetch_add(us, Relaxed);
        if let Some(n) = self.us_hist.get(log2::bucket(us)) {
            n.fetch_add(1, Relaxed);
        }
    }

    /// Requests by microseconds from submitted to done, log2.
    pub(crate) fn us_hist(&self, bucket: usize) -> u64 {
        self.us_hist.get(bucket).map_or(0, |n| n.load(Relaxed))
    }
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Handoff {
    origins: [OriginHandoff; Origin::COUNT],
    /// Requests and pages that the writers submitted.
    pub(crate) written: [Cell64; 2],
    /// Times that a writer plugged, to submit some.
    pub(crate) batches: Cell64,
    /// Batches by pages, log2.
    pub(crate) batch_pages: Hist,
    /// Microseconds from taken to submitted.
    pub(crate) queued_us: Cell64,
    /// Requests by microseconds from taken to submitted, log2.
    pub(crate) queued_us_hist: Hist,
    /// Times that a writer woke.
    pub(crate) wakeups: Cell64,
}

fn add(both: &[Cell64; 2], n: u64) {
    let [times, all] = both;
    times.add(1);
    all.add(n);
}

impl Handoff {
    /// What an origin asked.
    pub(crate) fn origin(&self, origin: Origin) -> Option<&OriginHandoff> {
        self.origins.get(origin as usize)
    }

    /// Counts a request of `pages` that was taken.
    pub(crate) fn take(&self, origin: Origin, pages: u32) {
        if let Some(o) = self.origin(origin) {
            add(&o.taken, u64::from(pages));
        }
    }

    /// Counts a request that is left to who made it.
    pub(crate) fn refuse(&self, origin: Origin, why: Refusal) {
        let cell = self
            .origin(origin)
            .and_then(|o| o.refused.get(why as usize));
        if let Some(cell) = cell {
            cell.add(1);
        }
    }

    /// Counts that it waited `ns` for room.
    pub(crate) fn waited(&self, origin: Origin, ns: u64) {
        if let Some(o) = self.origin(origin) {
            add(&o.waits, ns / 1000);
            o.waits_hist.count(ns / 1000);
        }
    }

    /// Counts that it waited `us` for writeback.
    pub(crate) fn throttled(&self, origin: Origin, us: u64) {
        if let Some(o) = self.origin(origin) {
            add(&o.throttled, us);
        }
    }

    /// Counts a request that was submitted `us` after it was taken.
    pub(crate) fn wrote(&self, pages: u32, us: u64) {
        add(&self.written, u64::from(pages));
        self.queued_us.add(us);
        self.queued_us_hist.count(us);
    }

    /// Counts a batch of `pages`.
    pub(crate) fn batch(&self, pages: u32) {
        self.batches.add(1);
        self.batch_pages.count(u64::from(pages));
    }
}

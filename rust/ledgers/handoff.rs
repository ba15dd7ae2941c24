// SPDX-License-Identifier: GPL-2.0

//! The handoff ledger: what became of the swap-out requests that reclaim prepared, by origin.
//!
//! One instance per CPU. The hook (in the task that reclaims) and the writers write it with
//! preemption off. Once all is quiet, the books balance: taken = written.

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

/// The counts of one origin.
#[derive(Zeroable)]
pub(crate) struct OriginHandoff {
    /// Requests that were taken, and pages in them.
    pub(crate) taken: [Cell64; 2],
    refused: [Cell64; Refusal::COUNT],
    /// Waits for room after a batch was handed over: their number, and microseconds.
    pub(crate) waits: [Cell64; 2],
    /// Waits for room by microseconds, log2.
    pub(crate) waits_hist: Hist,
    /// Times that reclaim put a task to sleep until writeback ends, of the helper or of others, and
    /// microseconds.
    pub(crate) throttled: [Cell64; 2],
}

impl OriginHandoff {
    /// Returns the number of requests that were refused for a reason.
    pub(crate) fn refused(&self, why: Refusal) -> u64 {
        self.refused.get(why as usize).map_or(0, Cell64::get)
    }
}

/// Counts of the writers' requests. They are not per CPU, because requests end in any context, and
/// are few.
pub(crate) struct WriterRequests {
    /// Requests that are done, and pages in them.
    pub(crate) done: [Atomic<u64>; 2],
    /// Requests of these that failed.
    pub(crate) errors: Atomic<u64>,
    /// Microseconds from submitted to done.
    pub(crate) us: Atomic<u64>,
    us_hist: [Atomic<u64>; log2::BUCKETS],
}

impl WriterRequests {
    /// Creates the counts.
    pub(crate) const fn new() -> Self {
        Self {
            done: [const { Atomic::new(0) }; 2],
            errors: Atomic::new(0),
            us: Atomic::new(0),
            us_hist: [const { Atomic::new(0) }; log2::BUCKETS],
        }
    }

    /// Counts a request of `pages` pages that took `us` microseconds. Any context.
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

    /// Returns a bucket of the requests by microseconds from submitted to done, log2.
    pub(crate) fn us_hist(&self, bucket: usize) -> u64 {
        self.us_hist.get(bucket).map_or(0, |n| n.load(Relaxed))
    }
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct Handoff {
    origins: [OriginHandoff; Origin::COUNT],
    /// Requests that the writers submitted, and pages in them.
    pub(crate) written: [Cell64; 2],
    /// Batches: times that a writer plugged to submit requests.
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
    /// Returns the counts of an origin.
    pub(crate) fn origin(&self, origin: Origin) -> Option<&OriginHandoff> {
        self.origins.get(origin as usize)
    }

    /// Counts a request of `pages` pages that was taken.
    pub(crate) fn record_taken(&self, origin: Origin, pages: u32) {
        if let Some(o) = self.origin(origin) {
            add(&o.taken, u64::from(pages));
        }
    }

    /// Counts a request that was refused, and that the task that made it submits.
    pub(crate) fn record_refused(&self, origin: Origin, why: Refusal) {
        let cell = self
            .origin(origin)
            .and_then(|o| o.refused.get(why as usize));
        if let Some(cell) = cell {
            cell.add(1);
        }
    }

    /// Counts a wait of `ns` nanoseconds for room.
    pub(crate) fn record_wait(&self, origin: Origin, ns: u64) {
        if let Some(o) = self.origin(origin) {
            add(&o.waits, ns / 1000);
            o.waits_hist.count(ns / 1000);
        }
    }

    /// Counts a wait of `us` microseconds for writeback.
    pub(crate) fn record_throttled(&self, origin: Origin, us: u64) {
        if let Some(o) = self.origin(origin) {
            add(&o.throttled, us);
        }
    }

    /// Counts a request of `pages` pages that was submitted `us` microseconds after it was taken.
    pub(crate) fn record_written(&self, pages: u32, us: u64) {
        add(&self.written, u64::from(pages));
        self.queued_us.add(us);
        self.queued_us_hist.count(us);
    }

    /// Counts a batch of `pages` pages.
    pub(crate) fn record_batch(&self, pages: u32) {
        self.batches.add(1);
        self.batch_pages.count(u64::from(pages));
    }
}

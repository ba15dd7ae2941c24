// SPDX-License-Identifier: GPL-2.0

//! The handoff ledger: what became of the folios that reclaim would have swapped out
//! itself, by origin.
//!
//! One instance per CPU, written with preemption off by the hook (in the reclaiming
//! task) and by the writers. Books that balance once all is quiet: taken = written +
//! skipped + pending.

use crate::{
    kernel_ext::cell::Cell64,
    origin::Origin,
    policy::{
        handoff::Refused,
        log2, //
    },
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use pin_init::Zeroable;

/// Why a folio was not taken, although it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Later {
    /// It is queued already.
    Queued,
    /// No room: as much waits as the device takes soon.
    Full,
    /// No room for one that is still mapped: it stays mapped.
    Mapped,
    /// Its device is stuck.
    Stuck,
}

impl Later {
    /// All of them, in order.
    pub(crate) const ALL: &'static [(Later, &'static str)] = &[
        (Later::Queued, "queued"),
        (Later::Full, "full"),
        (Later::Mapped, "mapped"),
        (Later::Stuck, "stuck"),
    ];

    const COUNT: usize = Later::ALL.len();
}

/// Why a folio that was taken was not written by the writer.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Skip {
    /// Freed, truncated, or out of the swap cache.
    Gone,
    /// In use again.
    Mapped,
    /// Clean by now.
    Clean,
    /// Someone else is writing it.
    Writeback,
    /// Someone has it locked.
    Locked,
    /// Someone has it isolated from its LRU list.
    Isolated,
    /// The kernel did not write it: no swap, pinned, mlocked, or split.
    Refused,
    /// The helper was switched off.
    Dropped,
}

impl Skip {
    /// All of them, in order.
    pub(crate) const ALL: &'static [(Skip, &'static str)] = &[
        (Skip::Gone, "gone"),
        (Skip::Mapped, "mapped"),
        (Skip::Clean, "clean"),
        (Skip::Writeback, "writeback"),
        (Skip::Locked, "locked"),
        (Skip::Isolated, "isolated"),
        (Skip::Refused, "refused"),
        (Skip::Dropped, "dropped"),
    ];

    const COUNT: usize = Skip::ALL.len();
}

/// What one origin asked.
#[derive(Zeroable)]
pub(crate) struct ByOrigin {
    /// Folios and pages that were taken.
    pub(crate) taken: [Cell64; 2],
    later: [Cell64; Later::COUNT],
    refused: [Cell64; Refused::ALL.len()],
    /// Times that it was told to wait.
    pub(crate) waits: Cell64,
    /// Times that it waited for writeback, for us or for others, and microseconds.
    pub(crate) throttled: [Cell64; 2],
}

impl ByOrigin {
    /// Folios that were not taken, for one reason.
    pub(crate) fn later(&self, why: Later) -> u64 {
        self.later.get(why as usize).map_or(0, Cell64::get)
    }

    /// Folios that were refused, for one reason.
    pub(crate) fn refused(&self, why: Refused) -> u64 {
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
    origins: [ByOrigin; Origin::COUNT],
    skipped: [Cell64; Skip::COUNT],
    /// Folios and pages that the writers wrote.
    pub(crate) written: [Cell64; 2],
    /// Batches that were submitted.
    pub(crate) batches: Cell64,
    batch_pages: [Cell64; log2::BUCKETS],
    /// Microseconds from taken to written or skipped.
    pub(crate) queued_us: Cell64,
    queued_us_hist: [Cell64; log2::BUCKETS],
    /// Times that a writer woke.
    pub(crate) wakeups: Cell64,
}

fn count(hist: &[Cell64; log2::BUCKETS], v: u64) {
    if let Some(cell) = hist.get(log2::bucket(v)) {
        cell.add(1);
    }
}

impl Handoff {
    /// What an origin asked.
    pub(crate) fn origin(&self, origin: Origin) -> Option<&ByOrigin> {
        self.origins.get(origin as usize)
    }

    /// Counts a folio of `pages` that was taken.
    pub(crate) fn take(&self, origin: Origin, pages: u32) {
        if let Some(o) = self.origin(origin) {
            let [folios, all] = &o.taken;
            folios.add(1);
            all.add(u64::from(pages));
        }
    }

    /// Counts a folio that is met again later.
    pub(crate) fn later(&self, origin: Origin, why: Later) {
        let cell = self.origin(origin).and_then(|o| o.later.get(why as usize));
        if let Some(cell) = cell {
            cell.add(1);
        }
    }

    /// Counts a folio that reclaim deals with itself.
    pub(crate) fn refuse(&self, origin: Origin, why: Refused) {
        let cell = self
            .origin(origin)
            .and_then(|o| o.refused.get(why as usize));
        if let Some(cell) = cell {
            cell.add(1);
        }
    }

    /// Counts that reclaim was told to wait.
    pub(crate) fn wait(&self, origin: Origin) {
        if let Some(o) = self.origin(origin) {
            o.waits.add(1);
        }
    }

    /// Counts that it waited `us` for writeback.
    pub(crate) fn throttled(&self, origin: Origin, us: u64) {
        if let Some(o) = self.origin(origin) {
            let [times, all] = &o.throttled;
            times.add(1);
            all.add(us);
        }
    }

    /// Counts a folio that was written `us` after it was taken.
    pub(crate) fn wrote(&self, pages: u32, us: u64) {
        let [folios, all] = &self.written;
        folios.add(1);
        all.add(u64::from(pages));
        self.decided(us);
    }

    /// Counts a folio that was not, `us` after it was taken.
    pub(crate) fn skip(&self, why: Skip, us: u64) {
        if let Some(cell) = self.skipped.get(why as usize) {
            cell.add(1);
        }
        self.decided(us);
    }

    fn decided(&self, us: u64) {
        self.queued_us.add(us);
        count(&self.queued_us_hist, us);
    }

    /// Counts a batch of `pages`.
    pub(crate) fn batch(&self, pages: u32) {
        self.batches.add(1);
        count(&self.batch_pages, u64::from(pages));
    }

    /// Folios that were not written, for one reason.
    pub(crate) fn skipped(&self, why: Skip) -> u64 {
        self.skipped.get(why as usize).map_or(0, Cell64::get)
    }

    /// Batches by pages, log2.
    pub(crate) fn batch_pages(&self, bucket: usize) -> u64 {
        self.batch_pages.get(bucket).map_or(0, Cell64::get)
    }

    /// Folios by microseconds from taken to decided, log2.
    pub(crate) fn queued_us_hist(&self, bucket: usize) -> u64 {
        self.queued_us_hist.get(bucket).map_or(0, Cell64::get)
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The write-around ledger: what became of the dirty file folios that reclaim
//! met.
//!
//! One instance per CPU, written with preemption off by the hook (in the
//! reclaiming task) and by the workers. Books that balance once all is quiet:
//! met = merged + queued + skipped at the hook; queued = written + skipped in the
//! worker + pending.

use crate::{
    kernel_ext::cell::Cell64,
    policy::window::Range,
    tables::hist::Hist,
    words::Skip, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use pin_init::Zeroable;

/// Workers that can run at once and be told apart.
pub(crate) const WORKERS: usize = 8;

/// The tasks that our workers run in, for the probe on their bios. Any context.
pub(crate) struct Workers([Atomic<usize>; WORKERS]);

impl Workers {
    /// None runs.
    pub(crate) const fn new() -> Self {
        Self([const { Atomic::new(0) }; WORKERS])
    }

    /// The worker runs in that task (an opaque key), or in none (0).
    pub(crate) fn set(&self, worker: usize, task: usize) {
        if let Some(place) = self.0.get(worker) {
            place.store(task, Relaxed);
        }
    }

    /// Does a worker run in the task?
    pub(crate) fn has(&self, task: usize) -> bool {
        self.0.iter().any(|t| t.load(Relaxed) == task)
    }
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct WriteAround {
    /// Folios and pages that reclaim met.
    pub(crate) met: [Cell64; 2],
    /// Folios that were queued already.
    pub(crate) merged: Cell64,
    /// Folios and pages that were queued.
    pub(crate) queued: [Cell64; 2],
    skipped: [Cell64; Skip::COUNT],
    /// Targets that were dirty in a window that was written.
    pub(crate) written: Cell64,
    /// Windows written.
    pub(crate) windows: Cell64,
    /// Calls that wrote a range of one.
    pub(crate) ranges: Cell64,
    /// Of these, how many returned an error.
    pub(crate) errors: Cell64,
    /// Pages written that were targets.
    pub(crate) pages_targets: Cell64,
    /// Pages written that were not.
    pub(crate) pages_others: Cell64,
    /// Windows by pages written, log2.
    pub(crate) window_pages: Hist,
    /// Bios that the workers submitted, and pages in them.
    pub(crate) bios: [Cell64; 2],
    /// Targets that came out of writeback.
    pub(crate) cleaned: Cell64,
    /// Microseconds from met to clean.
    pub(crate) clean_us: Cell64,
    /// Targets by microseconds from met to clean, log2.
    pub(crate) clean_us_hist: Hist,
    /// Cleaned targets that were looked at again after a second.
    pub(crate) freed_watched: Cell64,
    /// Of these, those whose page was free by then.
    pub(crate) freed_within: Cell64,
    /// Cleaned targets that there was no room to watch.
    pub(crate) freed_unwatched: Cell64,
    /// Times that reclaim was told to wait.
    pub(crate) waits: Cell64,
}

impl WriteAround {
    /// Counts a target that was not written by us.
    pub(crate) fn skip(&self, why: Skip) {
        if let Some(cell) = self.skipped.get(why as usize) {
            cell.add(1);
        }
    }

    /// Targets that were not written, for one reason.
    pub(crate) fn skipped(&self, why: Skip) -> u64 {
        self.skipped.get(why as usize).map_or(0, Cell64::get)
    }

    /// Counts a range that was written.
    pub(crate) fn range(&self, range: &Range, failed: bool) {
        self.ranges.add(1);
        self.errors.add(u64::from(failed));
        self.pages_targets.add(u64::from(range.targets));
        self.pages_others
            .add(u64::from(range.pages.saturating_sub(range.targets)));
    }

    /// Counts a window of `pages` that was written, with so many targets in it.
    pub(crate) fn window(&self, pages: u32, targets: u64) {
        self.windows.add(1);
        self.written.add(targets);
        self.window_pages.count(u64::from(pages));
    }

    /// Counts a target that came out of writeback `us` after it was met.
    pub(crate) fn clean(&self, us: u64) {
        self.cleaned.add(1);
        self.clean_us.add(us);
        self.clean_us_hist.count(us);
    }
}

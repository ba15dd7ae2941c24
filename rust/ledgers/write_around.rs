// SPDX-License-Identifier: GPL-2.0

//! The write-around ledger: what became of the dirty file folios that reclaim met.
//!
//! One instance per CPU. The hook (in the task that reclaims) and the workers write it with
//! preemption off. Once all is quiet, the books balance: met = merged + queued + skipped at the
//! hook; queued = written + skipped in the worker + pending.

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

/// The most workers that can run at once and be told apart.
pub(crate) const WORKERS: usize = 8;

/// The tasks in which the workers run, for the probe that sees their bios. Any context.
pub(crate) struct Workers([Atomic<usize>; WORKERS]);

impl Workers {
    /// Creates the table; no worker runs.
    pub(crate) const fn new() -> Self {
        Self([const { Atomic::new(0) }; WORKERS])
    }

    /// Notes that a worker runs in a task (an opaque key), or in none (0).
    pub(crate) fn set(&self, worker: usize, task: usize) {
        if let Some(place) = self.0.get(worker) {
            place.store(task, Relaxed);
        }
    }

    /// Whether a worker runs in the task.
    pub(crate) fn contains(&self, task: usize) -> bool {
        self.0.iter().any(|t| t.load(Relaxed) == task)
    }
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct WriteAround {
    /// Folios that reclaim met, and pages in them.
    pub(crate) met: [Cell64; 2],
    /// Folios that were queued already.
    pub(crate) merged: Cell64,
    /// Folios that were queued, and pages in them.
    pub(crate) queued: [Cell64; 2],
    skipped: [Cell64; Skip::COUNT],
    /// Targets that were dirty in a window that was written.
    pub(crate) written: Cell64,
    /// Windows that were written.
    pub(crate) windows: Cell64,
    /// Calls that wrote a range of a window.
    pub(crate) ranges: Cell64,
    /// Calls of these that returned an error.
    pub(crate) errors: Cell64,
    /// Pages that were written, and were targets.
    pub(crate) pages_targets: Cell64,
    /// Pages that were written, and were not targets.
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
    /// Targets of these whose page was free by then.
    pub(crate) freed_within: Cell64,
    /// Cleaned targets that were not watched, for want of room.
    pub(crate) freed_unwatched: Cell64,
    /// Times that reclaim was told to wait.
    pub(crate) waits: Cell64,
}

impl WriteAround {
    /// Counts a target that was not written by the helper.
    pub(crate) fn skip(&self, why: Skip) {
        if let Some(cell) = self.skipped.get(why as usize) {
            cell.add(1);
        }
    }

    /// Returns the number of targets that were not written for a reason.
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

    /// Counts a window that was written, with `pages` pages and `targets` targets.
    pub(crate) fn window(&self, pages: u32, targets: u64) {
        self.windows.add(1);
        self.written.add(targets);
        self.window_pages.count(u64::from(pages));
    }

    /// Counts a target that came out of writeback `us` microseconds after reclaim met it.
    pub(crate) fn clean(&self, us: u64) {
        self.cleaned.add(1);
        self.clean_us.add(us);
        self.clean_us_hist.count(us);
    }
}

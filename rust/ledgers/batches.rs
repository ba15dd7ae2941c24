// SPDX-License-Identifier: GPL-2.0

//! The ledger of batches: how many pages swap writes at once, and why a write was not larger.
//!
//! One instance per CPU. Handlers in task context write it with preemption off.

use crate::{
    kernel_ext::cell::Cell64,
    tables::hist::Hist,
    words::{
        EndReason,
        Origin, //
    },
};
use pin_init::Zeroable;

/// The counts of one origin.
#[derive(Zeroable)]
pub(crate) struct OriginBatches {
    /// Writes that were submitted.
    pub(crate) batches: Cell64,
    /// Pages in these writes.
    pub(crate) pages: Cell64,
    ended: [Cell64; EndReason::COUNT],
    /// Writes by pages, log2.
    pub(crate) hist: Hist,
}

impl OriginBatches {
    /// Returns the number of writes that ended for a reason.
    pub(crate) fn ended(&self, why: EndReason) -> u64 {
        self.ended.get(why as usize).map_or(0, Cell64::get)
    }
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct Batches {
    origins: [OriginBatches; Origin::COUNT],
}

impl Batches {
    /// Returns the counts of an origin.
    pub(crate) fn origin(&self, origin: Origin) -> Option<&OriginBatches> {
        self.origins.get(origin as usize)
    }

    /// Counts `times` writes of `pages` each, which were submitted.
    pub(crate) fn record_submitted(&self, origin: Origin, pages: u64, times: u64) {
        if let Some(counts) = self.origin(origin) {
            counts.batches.add(times);
            counts.pages.add(pages.wrapping_mul(times));
            counts.hist.add(pages, times);
        }
    }

    /// Counts `times` writes that ended for a reason.
    pub(crate) fn record_ended(&self, origin: Origin, why: EndReason, times: u64) {
        if let Some(n) = self
            .origin(origin)
            .and_then(|counts| counts.ended.get(why as usize))
        {
            n.add(times);
        }
    }
}

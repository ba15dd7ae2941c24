// SPDX-License-Identifier: GPL-2.0

//! The ledger of batches: how many pages swap writes at once, and why it did not write more.
//!
//! One instance per CPU, written with preemption off, in task context.

use crate::{
    kernel_ext::cell::Cell64,
    tables::hist::Hist,
    words::{
        EndReason,
        Origin, //
    },
};
use pin_init::Zeroable;

/// Counts of one origin.
#[derive(Zeroable)]
pub(crate) struct OriginBatches {
    /// Writes that were submitted.
    pub(crate) batches: Cell64,
    /// Pages in them.
    pub(crate) pages: Cell64,
    ended: [Cell64; EndReason::COUNT],
    /// Writes by pages, log2.
    pub(crate) hist: Hist,
}

impl OriginBatches {
    /// Writes that ended for a reason.
    pub(crate) fn ended(&self, why: EndReason) -> u64 {
        self.ended.get(why as usize).map_or(0, Cell64::get)
    }
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Batches {
    origins: [OriginBatches; Origin::COUNT],
}

impl Batches {
    /// Counts of an origin.
    pub(crate) fn origin(&self, origin: Origin) -> Option<&OriginBatches> {
        self.origins.get(origin as usize)
    }

    /// A write of so many pages is submitted, so many times.
    pub(crate) fn submitted(&self, origin: Origin, pages: u64, times: u64) {
        if let Some(counts) = self.origin(origin) {
            counts.batches.add(times);
            counts.pages.add(pages.wrapping_mul(times));
            counts.hist.add(pages, times);
        }
    }

    /// It is known why so many ended.
    pub(crate) fn ended(&self, origin: Origin, why: EndReason, times: u64) {
        if let Some(n) = self
            .origin(origin)
            .and_then(|counts| counts.ended.get(why as usize))
        {
            n.add(times);
        }
    }
}

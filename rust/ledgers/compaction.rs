// SPDX-License-Identifier: GPL-2.0

//! The compaction ledger: what tasks that want several pages in a row pay for that, what
//! they get, and how often someone else gets it.
//!
//! One instance per CPU, written with preemption off.

use crate::{
    kernel_ext::cell::Cell64,
    tables::hist::Hist,
    words::{
        CompactResult,
        Outcome, //
    },
};
use pin_init::Zeroable;

/// Orders that are told apart: all that the kernel has (`NR_PAGE_ORDERS`), and one for
/// what is larger.
pub(crate) const ORDERS: usize = 12;

/// What attempts for one order came to.
#[derive(Zeroable)]
pub(crate) struct OrderCompaction {
    results: [Tried; CompactResult::COUNT],
    outcomes: [Cell64; Outcome::COUNT],
    /// The zones were compacted, says the kernel, and yet someone else had the page.
    pub(crate) races: Cell64,
    /// Attempts by microseconds, log2.
    pub(crate) hist: Hist,
}

/// Attempts with one result.
#[derive(Zeroable)]
pub(crate) struct Tried {
    /// How many.
    pub(crate) attempts: Cell64,
    /// Nanoseconds that they took.
    pub(crate) ns: Cell64,
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Compaction {
    orders: [OrderCompaction; ORDERS],
}

impl Compaction {
    /// What attempts for an order came to.
    pub(crate) fn order(&self, order: usize) -> Option<&OrderCompaction> {
        self.orders.get(order.min(ORDERS - 1))
    }
}

impl OrderCompaction {
    /// Counts an attempt.
    pub(crate) fn tried(&self, result: CompactResult, ns: u64) {
        if let Some(tried) = self.result(result) {
            tried.attempts.add(1);
            tried.ns.add(ns);
        }
        self.hist.count(ns / 1000);
    }

    /// Counts what the task had of it.
    pub(crate) fn came_to(&self, result: CompactResult, outcome: Outcome) {
        if let Some(n) = self.outcomes.get(outcome as usize) {
            n.add(1);
        }
        self.races.add(outcome.is_race(result).into());
    }

    /// Attempts with one result.
    pub(crate) fn result(&self, result: CompactResult) -> Option<&Tried> {
        self.results.get(result as usize)
    }

    /// Attempts with one outcome.
    pub(crate) fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome as usize).map_or(0, Cell64::get)
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The compaction ledger: what tasks pay for blocks of several pages, what they get, and how often
//! another task gets the block.
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

/// Number of orders that are told apart: all those of the kernel (`NR_PAGE_ORDERS`), and one for
/// larger ones.
pub(crate) const ORDERS: usize = 12;

/// The attempts for one order.
#[derive(Zeroable)]
pub(crate) struct OrderCompaction {
    results: [Attempts; CompactResult::COUNT],
    outcomes: [Cell64; Outcome::COUNT],
    /// Attempts after which the kernel said that it had compacted the zones, and the task had no
    /// page: another task took it.
    pub(crate) races: Cell64,
    /// Attempts by microseconds, log2.
    pub(crate) hist: Hist,
}

/// Attempts with one result.
#[derive(Zeroable)]
pub(crate) struct Attempts {
    /// Number of attempts.
    pub(crate) attempts: Cell64,
    /// Nanoseconds that they took.
    pub(crate) ns: Cell64,
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct Compaction {
    orders: [OrderCompaction; ORDERS],
}

impl Compaction {
    /// Returns the counts of an order. An order that is too large counts as the largest.
    pub(crate) fn order(&self, order: usize) -> Option<&OrderCompaction> {
        self.orders.get(order.min(ORDERS - 1))
    }
}

impl OrderCompaction {
    /// Counts an attempt that took `ns` nanoseconds.
    pub(crate) fn record_attempt(&self, result: CompactResult, ns: u64) {
        if let Some(counts) = self.result(result) {
            counts.attempts.add(1);
            counts.ns.add(ns);
        }
        self.hist.count(ns / 1000);
    }

    /// Counts what an attempt achieved for its task.
    pub(crate) fn record_outcome(&self, result: CompactResult, outcome: Outcome) {
        if let Some(n) = self.outcomes.get(outcome as usize) {
            n.add(1);
        }
        self.races.add(outcome.is_race(result).into());
    }

    /// Returns the attempts with one result.
    pub(crate) fn result(&self, result: CompactResult) -> Option<&Attempts> {
        self.results.get(result as usize)
    }

    /// Returns the number of attempts with one outcome.
    pub(crate) fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome as usize).map_or(0, Cell64::get)
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What allocations of several contiguous pages cost tasks, and whether they succeed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Section, figures::Times};
use crate::{
    ledger::{Compaction, GroupState, OrderCompaction, Taken, total},
    names::CompactResult,
};

/// Attempts with one result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResultRow {
    /// How many attempts there were.
    pub attempts: u64,
    /// Nanoseconds that they took.
    pub ns: u64,
}

/// Attempts for one order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CompactionRow {
    /// The order.
    pub order: u64,
    /// How many attempts, and how long they took.
    pub attempts: Times,
    /// Nanoseconds of all attempts.
    pub ns: u64,
    /// By the result that the kernel gave; only results that occurred.
    pub results: BTreeMap<CompactResult, ResultRow>,
    /// Attempts after which the allocation succeeded.
    pub served: u64,
    /// Attempts after which the task reclaimed or compacted once more.
    pub again: u64,
    /// Attempts after which the allocation failed.
    pub failed: u64,
    /// Attempts for which the kernel said that there is a block now, but another task had taken it.
    pub races: u64,
}

/// All orders.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CompactionSection {
    /// Whether attempts are counted, at the end.
    pub state: GroupState,
    /// By order.
    pub orders: Vec<CompactionRow>,
    /// Whether the module notes which tasks take blocks, at the end.
    pub takers_state: GroupState,
    /// Blocks of at least the wanted size that were taken between a successful attempt and its outcome, by task name.
    pub takers: BTreeMap<String, Taken>,
}

pub(super) fn section(ledger: &Compaction) -> Section<CompactionSection> {
    if ledger.state == GroupState::Unavailable {
        return Section::unavailable(
            "try_to_compact_pages or the allocation slow path cannot be probed on this kernel",
        );
    }
    let orders = ledger.orders.iter().map(|(order, tried)| row(*order, tried)).filter(|row| row.attempts.count > 0);
    Section::Available(CompactionSection {
        state: ledger.state,
        orders: orders.collect(),
        takers_state: ledger.takers_state,
        takers: ledger.takers.iter().filter(|(_, t)| t.blocks > 0).map(|(name, t)| (name.clone(), *t)).collect(),
    })
}

fn row(order: u64, tried: &OrderCompaction) -> CompactionRow {
    let attempts = total(tried.results.values().map(|t| t.attempts));
    let ns = total(tried.results.values().map(|t| t.ns));
    let said = tried.results.iter().filter(|(_, t)| t.attempts > 0);
    CompactionRow {
        order,
        attempts: Times::new(attempts, ns / 1000, &tried.hist),
        ns,
        results: said.map(|(result, t)| (*result, ResultRow { attempts: t.attempts, ns: t.ns })).collect(),
        served: tried.served,
        again: tried.again,
        failed: tried.failed,
        races: tried.races,
    }
}

// SPDX-License-Identifier: GPL-2.0
//! `compaction`: how long direct compaction took, its results, and what became of the allocations, by order.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::{State, sparse},
    half::Log2,
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{CompactResult, Outcome},
};

/// Attempts with one result.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    /// How many there were.
    pub attempts: u64,
    /// Nanoseconds that they took.
    pub ns: u64,
}

/// Attempts for one order.
#[derive(Clone, Debug, Default)]
pub struct OrderCompaction {
    /// By the result that the kernel gave.
    pub results: BTreeMap<CompactResult, Tried>,
    /// Attempts after which the allocation succeeded.
    pub served: u64,
    /// Attempts after which the task reclaimed or compacted once more.
    pub again: u64,
    /// Attempts after which the allocation failed.
    pub failed: u64,
    /// Attempts for which the kernel said that there is a block now, but another task had taken it.
    pub races: u64,
    /// Attempts by microseconds.
    pub hist: Log2,
}

/// Blocks that tasks of one name took while others waited for theirs.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Taken {
    /// Blocks.
    pub blocks: u64,
    /// How many of these were taken by an interrupt on top of such a task.
    pub interrupts: u64,
}

/// The `compaction` ledger.
#[derive(Clone, Debug)]
pub struct Compaction {
    /// Whether the module notes which tasks take blocks.
    pub takers_state: State,
    /// Blocks of at least the wanted size that were taken between a successful attempt and its outcome, by task name.
    pub takers: BTreeMap<String, Taken>,
    /// Whether attempts are counted.
    pub state: State,
    /// By order; only orders that a task asked for.
    pub orders: BTreeMap<u64, OrderCompaction>,
}

impl Compaction {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = State::parse(rows)?;
        let orders: Vec<String> =
            rows.keys("order.").filter_map(|rest| rest.strip_suffix(".races")).map(str::to_owned).collect();
        let mut all = BTreeMap::new();
        for order in orders {
            let row = format!("order.{order}");
            let number = rows.parse_number(&row, &order)?;
            let mut results = BTreeMap::new();
            for &result in CompactResult::ALL {
                let key = format!("{row}.{}", result.key());
                let attempts = rows.number(&format!("{key}.attempts"))?;
                results.insert(result, Tried { attempts, ns: rows.number(&format!("{key}.ns"))? });
            }
            let mut outcome = |outcome: Outcome| rows.number(&format!("{row}.{}", outcome.name()));
            let one = OrderCompaction {
                results,
                served: outcome(Outcome::Served)?,
                again: outcome(Outcome::Again)?,
                failed: outcome(Outcome::Failed)?,
                races: rows.number(&format!("{row}.races"))?,
                hist: sparse(rows, &format!("{row}.hist.us."))?,
            };
            all.insert(number, one);
        }
        let takers_state = State::parse_row(rows, "takers")?;
        let numbers: Vec<String> =
            rows.keys("taker.").filter_map(|rest| rest.strip_suffix(".task")).map(str::to_owned).collect();
        let mut takers = BTreeMap::<String, Taken>::new();
        for number in numbers {
            let name = rows.take(&format!("taker.{number}.task"))?;
            let taken = takers.entry(name).or_default();
            taken.blocks = taken.blocks.saturating_add(rows.number(&format!("taker.{number}.blocks"))?);
            taken.interrupts = taken.interrupts.saturating_add(rows.number(&format!("taker.{number}.interrupts"))?);
        }
        Ok(Self { takers_state, takers, state, orders: all })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (name, now) in &mut self.takers {
            let old = before.takers.get(name).copied().unwrap_or_default();
            now.blocks = grown(&format!("taker {name}"), now.blocks, old.blocks)?;
            now.interrupts = grown(&format!("taker {name}"), now.interrupts, old.interrupts)?;
        }
        for (order, now) in &mut self.orders {
            let Some(old) = before.orders.get(order) else {
                continue;
            };
            let row = |what: &str| format!("order.{order}.{what}");
            now.served = grown(&row(Outcome::Served.name()), now.served, old.served)?;
            now.again = grown(&row(Outcome::Again.name()), now.again, old.again)?;
            now.failed = grown(&row(Outcome::Failed.name()), now.failed, old.failed)?;
            now.races = grown(&row("races"), now.races, old.races)?;
            for (result, tried) in &mut now.results {
                let then = old.results.get(result).copied().unwrap_or_default();
                let key = row(result.key());
                tried.attempts = grown(&format!("{key}.attempts"), tried.attempts, then.attempts)?;
                tried.ns = grown(&format!("{key}.ns"), tried.ns, then.ns)?;
            }
            for (low, n) in &mut now.hist {
                *n = grown(&row("hist.us"), *n, old.hist.get(low).copied().unwrap_or(0))?;
            }
        }
        Ok(self)
    }
}

// SPDX-License-Identifier: GPL-2.0
//! `kswapd`: what it costs, what it scans, why it does not rest, and what wakes it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::State,
    rows::{Rows, grown},
};
use crate::{error::Result, names::KswapdWhy};

const MAX_ORDER: u32 = 10;

/// Passes with one reason.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Passes {
    /// How many there were.
    pub windows: u64,
    /// CPU time that they took, in nanoseconds.
    pub cpu_ns: u64,
}

/// What a node had when its kswapd last ended a pass, in pages.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct NodeLeft {
    /// Free in the zones that it balances.
    pub free: u64,
    /// What their high watermarks come to.
    pub high: u64,
    /// Anonymous memory, shared memory included.
    pub anon: u64,
    /// Shared memory, tmpfs included.
    pub shmem: u64,
    /// Page cache of files.
    pub file: u64,
    /// Unevictable pages.
    pub unevictable: u64,
    /// Free swap, of the whole machine.
    pub swap_free: u64,
}

/// One node's kswapd.
#[derive(Clone, Debug, Default)]
pub struct NodeKswapd {
    /// CPU time, in nanoseconds.
    pub cpu_ns: u64,
    /// Passes.
    pub windows: u64,
    /// How many of these passes freed nothing.
    pub fruitless: u64,
    /// How often it went to sleep, because its work was done or it gave up.
    pub sleeps: u64,
    /// Pages freed.
    pub reclaimed: u64,
    /// Pages scanned.
    pub scanned: u64,
    /// How many of these pages were taken off their list.
    pub isolated: u64,
    /// Folios that were taken off and were dirty.
    pub dirty: u64,
    /// Folios that were under writeback.
    pub writeback: u64,
    /// Folios that were in use and were activated.
    pub activated: u64,
    /// Folios that were in use and were kept.
    pub referenced: u64,
    /// Folios that could not be unmapped.
    pub mapped: u64,
    /// Passes by the order that was asked for.
    pub orders: BTreeMap<u32, u64>,
    /// Passes by reason.
    pub reasons: BTreeMap<KswapdWhy, Passes>,
    /// What the node had when a pass last ended.
    pub left: NodeLeft,
}

/// How often a task of one name woke kswapd.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Waker {
    /// Times.
    pub times: u64,
    /// How many of these were for more than a page.
    pub large: u64,
}

/// The `kswapd` ledger.
#[derive(Clone, Debug)]
pub struct Kswapd {
    /// Whether passes are counted.
    pub state: State,
    /// Whether the pages that they scan are counted.
    pub scans: State,
    /// By node; only nodes whose kswapd ran.
    pub nodes: BTreeMap<u64, NodeKswapd>,
    /// Whether wakeups are counted.
    pub wakes: State,
    /// How often it was woken, by order.
    pub wake_orders: BTreeMap<u32, u64>,
    /// How often an interrupt woke it, of all times.
    pub wake_interrupts: u64,
    /// By task name.
    pub wakers: BTreeMap<String, Waker>,
}

impl NodeKswapd {
    /// Its counters, with the rest of the keys of their rows.
    fn counters(&mut self) -> [(&'static str, &mut u64); 12] {
        [
            ("cpu.ns", &mut self.cpu_ns),
            ("windows", &mut self.windows),
            ("fruitless", &mut self.fruitless),
            ("sleeps", &mut self.sleeps),
            ("reclaimed.pages", &mut self.reclaimed),
            ("scanned.pages", &mut self.scanned),
            ("isolated.pages", &mut self.isolated),
            ("dirty", &mut self.dirty),
            ("writeback", &mut self.writeback),
            ("activated", &mut self.activated),
            ("referenced", &mut self.referenced),
            ("mapped", &mut self.mapped),
        ]
    }

    fn parse(rows: &mut Rows, node: u64) -> Result<Self> {
        let mut of = Self::default();
        for (key, value) in of.counters() {
            *value = rows.number(&format!("node.{node}.{key}"))?;
        }
        for order in 0..=MAX_ORDER {
            of.orders.insert(order, rows.number(&format!("node.{node}.order.{order}.windows"))?);
        }
        for &why in KswapdWhy::ALL {
            let key = format!("node.{node}.why.{}", why.key());
            let windows = rows.number(&format!("{key}.windows"))?;
            of.reasons.insert(why, Passes { windows, cpu_ns: rows.number(&format!("{key}.cpu.ns"))? });
        }
        let left = &mut of.left;
        for (key, value) in [
            ("free", &mut left.free),
            ("high", &mut left.high),
            ("anon", &mut left.anon),
            ("shmem", &mut left.shmem),
            ("file", &mut left.file),
            ("unevictable", &mut left.unevictable),
            ("swap_free", &mut left.swap_free),
        ] {
            *value = rows.number(&format!("node.{node}.left.{key}.pages"))?;
        }
        Ok(of)
    }

    fn subtract(&mut self, node: u64, then: &Self) -> Result<()> {
        let mut then = then.clone();
        for ((key, now), (_, old)) in self.counters().into_iter().zip(then.counters()) {
            *now = grown(&format!("node.{node}.{key}"), *now, *old)?;
        }
        for (order, now) in &mut self.orders {
            *now = grown(&format!("node.{node}.order.{order}"), *now, then.orders.get(order).copied().unwrap_or(0))?;
        }
        for (why, now) in &mut self.reasons {
            let old = then.reasons.get(why).copied().unwrap_or_default();
            let row = format!("node.{node}.why.{}", why.key());
            now.windows = grown(&row, now.windows, old.windows)?;
            now.cpu_ns = grown(&row, now.cpu_ns, old.cpu_ns)?;
        }
        Ok(())
    }
}

impl Kswapd {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = State::parse(rows)?;
        let scans = State::parse_row(rows, "scans")?;
        let numbers: Vec<String> =
            rows.keys("node.").filter_map(|rest| rest.strip_suffix(".fruitless")).map(str::to_owned).collect();
        let mut nodes = BTreeMap::new();
        for number in numbers {
            let node = rows.parse_number(&format!("node.{number}"), &number)?;
            nodes.insert(node, NodeKswapd::parse(rows, node)?);
        }
        let wakes = State::parse_row(rows, "wakes")?;
        let mut wake_orders = BTreeMap::new();
        for order in 0..=MAX_ORDER {
            wake_orders.insert(order, rows.number(&format!("wake.order.{order}.times"))?);
        }
        let wake_interrupts = rows.number("wake.interrupts")?;
        let numbers: Vec<String> =
            rows.keys("waker.").filter_map(|rest| rest.strip_suffix(".task")).map(str::to_owned).collect();
        let mut by_task = BTreeMap::<String, Waker>::new();
        for number in numbers {
            let one = by_task.entry(rows.take(&format!("waker.{number}.task"))?).or_default();
            one.times = one.times.saturating_add(rows.number(&format!("waker.{number}.times"))?);
            one.large = one.large.saturating_add(rows.number(&format!("waker.{number}.large"))?);
        }
        Ok(Self { state, scans, nodes, wakes, wake_orders, wake_interrupts, wakers: by_task })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (node, now) in &mut self.nodes {
            if let Some(then) = before.nodes.get(node) {
                now.subtract(*node, then)?;
            }
        }
        for (order, now) in &mut self.wake_orders {
            *now = grown(&format!("wake.order.{order}"), *now, before.wake_orders.get(order).copied().unwrap_or(0))?;
        }
        self.wake_interrupts = grown("wake.interrupts", self.wake_interrupts, before.wake_interrupts)?;
        for (name, now) in &mut self.wakers {
            let old = before.wakers.get(name).copied().unwrap_or_default();
            now.times = grown(&format!("waker {name}"), now.times, old.times)?;
            now.large = grown(&format!("waker {name}"), now.large, old.large)?;
        }
        Ok(self)
    }
}

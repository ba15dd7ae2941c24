// SPDX-License-Identifier: GPL-2.0
//! `writes`: what reclaim wrote, by origin.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::State,
    rows::{Rows, grown, total},
};
use crate::{
    error::Result,
    names::{Kind, Origin, Type},
};

const MAX_ORDER: u32 = 10;

/// Folios and the pages in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cell {
    /// Folios written.
    pub folios: u64,
    /// Pages in them.
    pub pages: u64,
}

/// What one origin wrote.
#[derive(Clone, Debug, Default)]
pub struct OriginWrites {
    /// Windows it opened.
    pub windows: u64,
    /// Pages that these windows freed.
    pub reclaimed: u64,
    /// Its writes, by type and kind.
    pub cells: BTreeMap<Type, BTreeMap<Kind, Cell>>,
    /// Folios by order.
    pub orders: BTreeMap<u32, u64>,
    /// Pages by node.
    pub nodes: BTreeMap<u32, u64>,
}

impl OriginWrites {
    /// All pages it wrote.
    pub fn pages(&self) -> u64 {
        total(self.cells.values().flat_map(BTreeMap::values).map(|cell| cell.pages))
    }

    /// All folios it wrote.
    pub fn folios(&self) -> u64 {
        total(self.cells.values().flat_map(BTreeMap::values).map(|cell| cell.folios))
    }
}

/// What zswap wrote back to the device behind it. None of this is a write of reclaim.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ZswapWriteback {
    /// Whether it is counted.
    pub state: State,
    /// Pages that a worker of zswap wrote back on its own stack, because the pool was full.
    pub worker_pages: u64,
    /// Pages that were written back on the stack of a task that reclaimed or called a shrinker, by origin.
    pub pages: BTreeMap<Origin, u64>,
    /// How many of all these pages the device refused.
    pub failed_pages: u64,
}

/// Swap writes that one device failed to do.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct FailedWrites {
    /// Writes.
    pub requests: u64,
    /// Pages in them.
    pub pages: u64,
}

/// The `writes` ledger.
#[derive(Clone, Debug)]
pub struct Writes {
    /// By origin; all that the module tells apart.
    pub origins: BTreeMap<Origin, OriginWrites>,
    /// Folios counted by the module over all origins.
    pub total_folios: u64,
    /// Pages counted by the module over all origins.
    pub total_pages: u64,
    /// What zswap wrote back; absent if the module is older.
    pub zswap_writeback: Option<ZswapWriteback>,
    /// Devices that failed to write pages.
    pub failed: BTreeMap<String, FailedWrites>,
}

impl Writes {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut origins = BTreeMap::new();
        for origin in rows.origins() {
            origins.insert(origin, parse_origin(rows, origin.key())?);
        }
        let zswap_writeback = if rows.keys("zswap_writeback").next().is_some() {
            let state = State::parse_row(rows, "zswap_writeback")?;
            let mut pages = BTreeMap::new();
            for &origin in origins.keys() {
                pages.insert(origin, rows.number(&format!("zswap_writeback.{}.pages", origin.key()))?);
            }
            let worker_pages = rows.number("zswap_writeback.worker.pages")?;
            Some(ZswapWriteback {
                state,
                worker_pages,
                pages,
                failed_pages: rows.number("zswap_writeback.failed.pages")?,
            })
        } else {
            None
        };
        let names: Vec<String> =
            rows.keys("device.").filter_map(|rest| rest.strip_suffix(".failed.pages")).map(str::to_owned).collect();
        let mut failed = BTreeMap::new();
        for name in names {
            let requests = rows.number(&format!("device.{name}.failed.requests"))?;
            let pages = rows.number(&format!("device.{name}.failed.pages"))?;
            failed.insert(name, FailedWrites { requests, pages });
        }
        let (total_folios, total_pages) = (rows.number("total.folios")?, rows.number("total.pages")?);
        Ok(Self { origins, total_folios, total_pages, zswap_writeback, failed })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (origin, now) in &mut self.origins {
            if let Some(then) = before.origins.get(origin) {
                subtract(origin.key(), now, then)?;
            }
        }
        self.total_folios = grown("total.folios", self.total_folios, before.total_folios)?;
        self.total_pages = grown("total.pages", self.total_pages, before.total_pages)?;
        if let (Some(now), Some(then)) = (&mut self.zswap_writeback, &before.zswap_writeback) {
            now.worker_pages = grown("zswap_writeback.worker", now.worker_pages, then.worker_pages)?;
            now.failed_pages = grown("zswap_writeback.failed", now.failed_pages, then.failed_pages)?;
            for (origin, pages) in &mut now.pages {
                let old = then.pages.get(origin).copied().unwrap_or(0);
                *pages = grown(&format!("zswap_writeback.{}", origin.key()), *pages, old)?;
            }
        }
        for (name, now) in &mut self.failed {
            let old = before.failed.get(name).copied().unwrap_or_default();
            now.requests = grown(&format!("device.{name}.failed.requests"), now.requests, old.requests)?;
            now.pages = grown(&format!("device.{name}.failed.pages"), now.pages, old.pages)?;
        }
        Ok(self)
    }
}

fn parse_origin(rows: &mut Rows, origin: &str) -> Result<OriginWrites> {
    let mut writes = OriginWrites {
        windows: rows.number(&format!("{origin}.windows"))?,
        reclaimed: rows.number(&format!("{origin}.reclaimed"))?,
        ..OriginWrites::default()
    };
    for &of_type in Type::ALL {
        let cells = writes.cells.entry(of_type).or_default();
        for &kind in Kind::ALL {
            let key = format!("{origin}.{}.{}", of_type.key(), kind.key());
            // Older modules count failed writes as written.
            if kind == Kind::Failed && rows.keys(&key).next().is_none() {
                cells.insert(kind, Cell::default());
                continue;
            }
            let folios = rows.number(&format!("{key}.folios"))?;
            let pages = rows.number(&format!("{key}.pages"))?;
            cells.insert(kind, Cell { folios, pages });
        }
    }
    for order in 0..=MAX_ORDER {
        writes.orders.insert(order, rows.number(&format!("{origin}.order.{order}.folios"))?);
    }
    for (rest, value) in rows.take_prefix(&format!("{origin}.node.")) {
        let key = format!("{origin}.node.{rest}");
        let node = rest.strip_suffix(".pages").and_then(|nid| nid.parse().ok());
        let node = node.ok_or_else(|| rows.error(format!("row {key} names no node")))?;
        writes.nodes.insert(node, rows.parse_number(&key, &value)?);
    }
    if writes.nodes.is_empty() {
        return Err(rows.error(format!("row {origin}.node.<nid>.pages is missing")));
    }
    Ok(writes)
}

fn subtract(origin: &str, now: &mut OriginWrites, then: &OriginWrites) -> Result<()> {
    now.windows = grown(&format!("{origin}.windows"), now.windows, then.windows)?;
    now.reclaimed = grown(&format!("{origin}.reclaimed"), now.reclaimed, then.reclaimed)?;
    for (of_type, cells) in &mut now.cells {
        // What was queued then may have failed since. It is no longer counted as queued.
        let then_queued = then.cells.get(of_type).and_then(|cells| cells.get(&Kind::Io)).copied().unwrap_or_default();
        let queued = cells.get(&Kind::Io).copied().unwrap_or_default();
        let moved = Cell {
            folios: then_queued.folios.saturating_sub(queued.folios),
            pages: then_queued.pages.saturating_sub(queued.pages),
        };
        if let Some(queued) = cells.get_mut(&Kind::Io) {
            queued.folios = queued.folios.saturating_add(moved.folios);
            queued.pages = queued.pages.saturating_add(moved.pages);
        }
        if let Some(failed) = cells.get_mut(&Kind::Failed) {
            failed.folios = failed.folios.saturating_sub(moved.folios);
            failed.pages = failed.pages.saturating_sub(moved.pages);
        }
        for (kind, cell) in cells {
            let old = then.cells.get(of_type).and_then(|cells| cells.get(kind)).copied().unwrap_or_default();
            let name = format!("{origin}.{}.{}", of_type.key(), kind.key());
            cell.folios = grown(&name, cell.folios, old.folios)?;
            cell.pages = grown(&name, cell.pages, old.pages)?;
        }
    }
    for (order, folios) in &mut now.orders {
        let old = then.orders.get(order).copied().unwrap_or(0);
        *folios = grown(&format!("{origin}.order.{order}"), *folios, old)?;
    }
    for (node, pages) in &mut now.nodes {
        let old = then.nodes.get(node).copied().unwrap_or(0);
        *pages = grown(&format!("{origin}.node.{node}"), *pages, old)?;
    }
    Ok(())
}

// SPDX-License-Identifier: GPL-2.0
//! `writes`: who wrote what during reclaim.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rows::{Rows, grown, total};
use crate::{
    error::Result,
    names::{Kind, Origin, Type},
};

const MAX_ORDER: u32 = 10;

/// Folios and the pages in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// Pages those freed.
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

/// The `writes` ledger.
#[derive(Clone, Debug)]
pub struct Writes {
    /// By origin; all that the module tells apart.
    pub origins: BTreeMap<Origin, OriginWrites>,
    /// Folios counted by the module over all origins.
    pub total_folios: u64,
    /// Pages counted by the module over all origins.
    pub total_pages: u64,
}

impl Writes {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut origins = BTreeMap::new();
        for origin in rows.origins() {
            origins.insert(origin, parse_origin(rows, origin.key())?);
        }
        Ok(Self { origins, total_folios: rows.number("total.folios")?, total_pages: rows.number("total.pages")? })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (origin, now) in &mut self.origins {
            if let Some(then) = before.origins.get(origin) {
                subtract(origin.key(), now, then)?;
            }
        }
        self.total_folios = grown("total.folios", self.total_folios, before.total_folios)?;
        self.total_pages = grown("total.pages", self.total_pages, before.total_pages)?;
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

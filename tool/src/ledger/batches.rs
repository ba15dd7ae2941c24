// SPDX-License-Identifier: GPL-2.0
//! `batches`: how many pages swap writes at once, and why it does not write more.

use std::collections::BTreeMap;

use super::{
    group::{State, sparse},
    half::Log2,
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{Ended, Origin},
};

/// Swap writes of one origin.
#[derive(Clone, Debug, Default)]
pub struct OriginBatches {
    /// How many there were.
    pub batches: u64,
    /// Pages in them.
    pub pages: u64,
    /// By the reason why they ended.
    pub ended: BTreeMap<Ended, u64>,
    /// Writes whose reason was not known yet when the ledger was read.
    pub open: u64,
    /// By pages.
    pub hist: Log2,
}

/// The `batches` ledger.
#[derive(Clone, Debug)]
pub struct Batches {
    /// Whether writes are counted.
    pub state: State,
    /// Whether the module knows why they ended.
    pub reasons: State,
    /// By origin.
    pub origins: BTreeMap<Origin, OriginBatches>,
}

impl Batches {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = State::parse(rows)?;
        let reasons = State::parse_row(rows, "reasons")?;
        let mut origins = BTreeMap::new();
        for &origin in Origin::ALL {
            let row = origin.key();
            let mut ended = BTreeMap::new();
            for &why in Ended::ALL {
                ended.insert(why, rows.number(&format!("{row}.ended.{}", why.key()))?);
            }
            let one = OriginBatches {
                batches: rows.number(&format!("{row}.batches"))?,
                pages: rows.number(&format!("{row}.pages"))?,
                ended,
                open: rows.number(&format!("{row}.open"))?,
                hist: sparse(rows, &format!("{row}.pages.hist."))?,
            };
            origins.insert(origin, one);
        }
        Ok(Self { state, reasons, origins })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (origin, now) in &mut self.origins {
            let old = before.origins.get(origin).cloned().unwrap_or_default();
            let row = |what: &str| format!("{}.{what}", origin.key());
            now.batches = grown(&row("batches"), now.batches, old.batches)?;
            now.pages = grown(&row("pages"), now.pages, old.pages)?;
            for (why, n) in &mut now.ended {
                *n = grown(&row(&format!("ended.{}", why.key())), *n, old.ended.get(why).copied().unwrap_or(0))?;
            }
            for (low, n) in &mut now.hist {
                *n = grown(&row("pages.hist"), *n, old.hist.get(low).copied().unwrap_or(0))?;
            }
        }
        Ok(self)
    }
}

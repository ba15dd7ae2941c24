// SPDX-License-Identifier: GPL-2.0
//! `tlb`: how often reclaim interrupts other CPUs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::State,
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{Flush, Origin},
};

/// Flushes of one origin, for one purpose.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Flushes {
    /// How often reclaim asked for a flush.
    pub asked: u64,
    /// How often other CPUs were interrupted.
    pub ipis: u64,
    /// Nanoseconds from when flushes were asked for to when they were done.
    pub ns: u64,
}

/// The `tlb` ledger.
#[derive(Clone, Debug)]
pub struct Tlb {
    /// Whether flushes are counted.
    pub state: State,
    /// By origin and purpose.
    pub flushes: BTreeMap<(Origin, Flush), Flushes>,
    /// Pages freed while flushes were counted.
    pub freed: BTreeMap<Origin, u64>,
}

impl Tlb {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = State::parse(rows)?;
        let (mut flushes, mut freed) = (BTreeMap::new(), BTreeMap::new());
        for &origin in Origin::ALL {
            freed.insert(origin, rows.number(&format!("{}.freed.pages", origin.key()))?);
            for &flush in Flush::ALL {
                let row = format!("{}.{}", origin.key(), flush.key());
                let one = Flushes {
                    asked: rows.number(&format!("{row}.asked"))?,
                    ipis: rows.number(&format!("{row}.ipis"))?,
                    ns: rows.number(&format!("{row}.ns"))?,
                };
                flushes.insert((origin, flush), one);
            }
        }
        Ok(Self { state, flushes, freed })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for ((origin, flush), now) in &mut self.flushes {
            let old = before.flushes.get(&(*origin, *flush)).copied().unwrap_or_default();
            let row = |what: &str| format!("{}.{}.{what}", origin.key(), flush.key());
            now.asked = grown(&row("asked"), now.asked, old.asked)?;
            now.ipis = grown(&row("ipis"), now.ipis, old.ipis)?;
            now.ns = grown(&row("ns"), now.ns, old.ns)?;
        }
        for (origin, freed) in &mut self.freed {
            let old = before.freed.get(origin).copied().unwrap_or_default();
            *freed = grown(&format!("{}.freed.pages", origin.key()), *freed, old)?;
        }
        Ok(self)
    }
}

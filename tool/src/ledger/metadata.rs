// SPDX-License-Identifier: GPL-2.0
//! `metadata`: pages of block devices that reclaim evicted, and that were read again; bitmaps that ext4 read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::{State, sparse},
    half::Log2,
    rows::{Rows, grown},
};
use crate::{error::Result, names::Origin};

/// Bitmaps of one kind.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Bitmaps {
    /// How often ext4 read one.
    pub reads: u64,
    /// How many of these reads were of a bitmap that it had read before, while reclaim evicted pages of the device in
    /// between.
    pub reread: u64,
}

impl Bitmaps {
    fn parse(rows: &mut Rows, row: &str) -> Result<Option<Self>> {
        let Some(reads) = rows.number_opt(&format!("{row}.reads"))? else {
            return Ok(None);
        };
        Ok(Some(Self { reads, reread: rows.number(&format!("{row}.reread"))? }))
    }

    fn since(now: &mut Option<Self>, before: Option<Self>, row: &str) -> Result<()> {
        if let Some(now) = now {
            let before = before.unwrap_or_default();
            now.reads = grown(&format!("{row}.reads"), now.reads, before.reads)?;
            now.reread = grown(&format!("{row}.reread"), now.reread, before.reread)?;
        }
        Ok(())
    }
}

/// One device.
#[derive(Clone, Debug, Default)]
pub struct DeviceMetadata {
    /// Pages evicted.
    pub evicted: u64,
    /// How many of these pages were read again.
    pub reread: u64,
    /// Pages that were read again, by the milliseconds since they were evicted.
    pub hist: Log2,
    /// Bitmaps of blocks; `None` if ext4 cannot be probed.
    pub blocks: Option<Bitmaps>,
    /// The same for bitmaps of inodes.
    pub inodes: Option<Bitmaps>,
}

/// The `metadata` ledger.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Whether pages are counted.
    pub state: State,
    /// Pages evicted, by origin.
    pub origins: BTreeMap<Origin, u64>,
    /// By device, as major and minor number.
    pub devices: BTreeMap<String, DeviceMetadata>,
    /// Folios that were forgotten to make room for others. It is not known whether they were read again.
    pub forgotten: u64,
    /// Pages of devices for which there was no room.
    pub others: u64,
}

impl Metadata {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = State::parse(rows)?;
        let mut origins = BTreeMap::new();
        for &origin in Origin::ALL {
            origins.insert(origin, rows.number(&format!("{}.evicted.pages", origin.key()))?);
        }
        let names: Vec<String> =
            rows.keys("device.").filter_map(|rest| rest.strip_suffix(".evicted.pages")).map(str::to_owned).collect();
        let mut devices = BTreeMap::new();
        for name in names {
            let row = format!("device.{name}");
            let device = DeviceMetadata {
                evicted: rows.number(&format!("{row}.evicted.pages"))?,
                reread: rows.number(&format!("{row}.reread.pages"))?,
                blocks: Bitmaps::parse(rows, &format!("{row}.bitmaps.blocks"))?,
                inodes: Bitmaps::parse(rows, &format!("{row}.bitmaps.inodes"))?,
                hist: sparse(rows, &format!("{row}.reread.hist.ms."))?,
            };
            devices.insert(name, device);
        }
        let forgotten = rows.number("forgotten.folios")?;
        Ok(Self { state, origins, devices, forgotten, others: rows.number("others.evicted.pages")? })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (origin, pages) in &mut self.origins {
            let old = before.origins.get(origin).copied().unwrap_or(0);
            *pages = grown(&format!("{}.evicted.pages", origin.key()), *pages, old)?;
        }
        for (name, now) in &mut self.devices {
            let old = before.devices.get(name).cloned().unwrap_or_default();
            let row = |what: &str| format!("device.{name}.{what}");
            now.evicted = grown(&row("evicted.pages"), now.evicted, old.evicted)?;
            now.reread = grown(&row("reread.pages"), now.reread, old.reread)?;
            Bitmaps::since(&mut now.blocks, old.blocks, &row("bitmaps.blocks"))?;
            Bitmaps::since(&mut now.inodes, old.inodes, &row("bitmaps.inodes"))?;
            for (low, n) in &mut now.hist {
                *n = grown(&row("reread.hist.ms"), *n, old.hist.get(low).copied().unwrap_or(0))?;
            }
        }
        self.forgotten = grown("forgotten.folios", self.forgotten, before.forgotten)?;
        self.others = grown("others.evicted.pages", self.others, before.others)?;
        Ok(self)
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What reclaim does to others: interrupts for TLB flushes, and metadata of filesystems that must be read again.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Section, figures::mean};
use crate::{
    ledger::{Bitmaps, Flushes, GroupState, Log2, Metadata, Tlb},
    names::{Flush, Origin},
};

/// Flushes of one origin.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TlbRow {
    /// The origin.
    pub origin: Origin,
    /// By purpose.
    pub flushes: BTreeMap<Flush, FlushRow>,
    /// Pages that it freed while flushes were counted.
    pub freed_pages: u64,
}

/// Flushes for one purpose.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FlushRow {
    /// How many there were, and how long they took.
    #[serde(flatten)]
    pub counts: Flushes,
    /// Interrupts for each dirty folio, which asks for one flush, or for each page freed; absent if there was none.
    pub ipis_per_page: Option<f64>,
}

/// All flushes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TlbSection {
    /// Whether they are counted, at the end.
    pub state: GroupState,
    /// By origin; only origins that flushed.
    pub origins: Vec<TlbRow>,
}

pub(super) fn tlb(ledger: &Tlb) -> Section<TlbSection> {
    if ledger.state == GroupState::Unavailable {
        return Section::unavailable("the flushes cannot be probed on this kernel");
    }
    let row = |origin: Origin| {
        let freed_pages = ledger.freed.get(&origin).copied().unwrap_or(0);
        let flushes = Flush::ALL.iter().filter_map(|f| Some((*f, *ledger.flushes.get(&(origin, *f))?)));
        let flushes = flushes.filter(|(_, n)| n.asked > 0 || n.ipis > 0).map(|(flush, counts)| {
            let pages = if flush == Flush::Dirty { counts.asked } else { freed_pages };
            (flush, FlushRow { counts, ipis_per_page: mean(counts.ipis, pages) })
        });
        TlbRow { origin, flushes: flushes.collect(), freed_pages }
    };
    let rows = Origin::ALL.iter().map(|origin| row(*origin)).filter(|row| !row.flushes.is_empty());
    Section::Available(TlbSection { state: ledger.state, origins: rows.collect() })
}

/// One device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MetadataRow {
    /// Its major and minor number.
    pub device: String,
    /// Pages evicted.
    pub evicted_pages: u64,
    /// Evicted pages that were read again.
    pub reread_pages: u64,
    /// The share of the evicted pages that were read again, 0 to 1; absent if none was evicted. With `--since` it may
    /// be more than 1, because pages that were evicted before may be read in the interval.
    pub reread_share: Option<f64>,
    /// Pages read again, by milliseconds since they were evicted.
    pub reread_histogram_ms: Log2,
    /// Bitmaps of blocks that ext4 read; absent if ext4 cannot be probed.
    pub block_bitmaps: Option<Bitmaps>,
    /// The same for bitmaps of inodes.
    pub inode_bitmaps: Option<Bitmaps>,
}

/// All devices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MetadataSection {
    /// Whether pages are counted, at the end.
    pub state: GroupState,
    /// Pages evicted, by origin; only origins that evicted some.
    pub origins: BTreeMap<Origin, u64>,
    /// By device.
    pub devices: Vec<MetadataRow>,
    /// Folios that were forgotten before they could be read again.
    pub forgotten_folios: u64,
    /// Pages of devices for which the ledger had no room.
    pub others_pages: u64,
}

pub(super) fn metadata(ledger: &Metadata) -> Section<MetadataSection> {
    if ledger.state == GroupState::Unavailable {
        return Section::unavailable("the page cache cannot be watched on this kernel");
    }
    let devices = ledger.devices.iter().map(|(name, device)| MetadataRow {
        device: name.clone(),
        evicted_pages: device.evicted,
        reread_pages: device.reread,
        reread_share: mean(device.reread, device.evicted),
        reread_histogram_ms: device.hist.iter().filter(|(_, n)| **n > 0).map(|(low, n)| (*low, *n)).collect(),
        block_bitmaps: device.blocks,
        inode_bitmaps: device.inodes,
    });
    Section::Available(MetadataSection {
        state: ledger.state,
        origins: ledger.origins.iter().filter(|(_, n)| **n > 0).map(|(origin, n)| (*origin, *n)).collect(),
        devices: devices.filter(shown).collect(),
        forgotten_folios: ledger.forgotten,
        others_pages: ledger.others,
    })
}

fn shown(row: &MetadataRow) -> bool {
    let read = |bitmaps: Option<Bitmaps>| bitmaps.is_some_and(|b| b.reads > 0);
    row.evicted_pages > 0 || row.reread_pages > 0 || read(row.block_bitmaps) || read(row.inode_bitmaps)
}

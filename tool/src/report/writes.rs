// SPDX-License-Identifier: GPL-2.0
//! What reclaim wrote, by origin, and the cgroups whose pages it wrote.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    container,
    ledger::{Cell, Cgroups, FailedWrites, Handoff, Hierarchy, Writes, ZswapWriteback, total},
    names::{Kind, Origin, Type},
};

/// What one origin wrote.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OriginRow {
    /// The origin.
    pub origin: Origin,
    /// Windows it opened; absent if windows are not recorded.
    pub windows: Option<u64>,
    /// Pages that these windows freed.
    pub freed_pages: Option<u64>,
    /// Folios it wrote.
    pub folios: u64,
    /// Pages it wrote.
    pub pages: u64,
    /// How many of these pages it handed to a writer of the module, to be submitted.
    pub handed_pages: u64,
    /// The pages that it wrote, in bytes.
    pub bytes: u64,
    /// Its share of all pages written, 0 to 1.
    pub share: f64,
    /// Pages by type.
    pub types: BTreeMap<Type, u64>,
    /// Pages by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// Folios and pages by type and kind.
    pub cells: BTreeMap<Type, BTreeMap<Kind, Cell>>,
    /// Folios by order.
    pub orders: BTreeMap<u32, u64>,
    /// Pages by node.
    pub nodes: BTreeMap<u32, u64>,
    /// Swap bios it submitted; absent if they are not sampled.
    pub bios: Option<u64>,
    /// Pages of real and synchronous I/O that it submitted in each bio. This shows how well its writes were batched.
    pub pages_per_bio: Option<f64>,
}

impl OriginRow {
    /// Pages of real and synchronous I/O.
    pub fn to_device(&self) -> u64 {
        to_device(&self.kinds)
    }
}

fn to_device(kinds: &BTreeMap<Kind, u64>) -> u64 {
    total([Kind::Io, Kind::Sync].iter().filter_map(|kind| kinds.get(kind).copied()))
}

/// A swap device that failed to write pages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailedDevice {
    /// Its name.
    pub device: String,
    /// What it did not write, including zswap's writeback.
    #[serde(flatten)]
    pub failed: FailedWrites,
}

impl FailedDevice {
    /// Whether it is a zram device. It refuses pages if it has no room.
    pub fn is_zram(&self) -> bool {
        self.device.starts_with("zram")
    }
}

/// All origins together.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WritesSection {
    /// Windows; absent if windows are not recorded.
    pub windows: Option<u64>,
    /// Pages freed.
    pub freed_pages: Option<u64>,
    /// Folios written.
    pub folios: u64,
    /// Pages written.
    pub pages: u64,
    /// The same in bytes.
    pub bytes: u64,
    /// Pages by type.
    pub types: BTreeMap<Type, u64>,
    /// Pages by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// Pages written by kswapd, without those that it handed over.
    pub background_pages: u64,
    /// Pages that were handed over by any origin. The module's writers submit them.
    pub writer_pages: u64,
    /// Pages written by tasks other than kswapd, on their own stack (all origins but kswapd and lost, without what they
    /// handed over). Most of these tasks only wanted memory; some asked for reclaim.
    pub foreground_pages: u64,
    /// One row per origin, in the ledgers' order.
    pub origins: Vec<OriginRow>,
    /// Pages that devices refused or failed to write. They are included in `pages`, and stay in memory.
    pub failed_pages: u64,
    /// The devices that refused or failed to write.
    pub failed_devices: Vec<FailedDevice>,
    /// What zswap wrote back. It is not included in `pages`. Absent if the module is older.
    pub zswap_writeback: Option<ZswapWriteback>,
}

impl WritesSection {
    /// Origins that did anything.
    pub fn active(&self) -> impl Iterator<Item = &OriginRow> {
        self.origins.iter().filter(|row| row.pages > 0 || row.windows.unwrap_or(0) > 0)
    }
}

/// What is known apart from the ledger itself.
pub(super) struct Known<'a> {
    /// Bytes of a page.
    pub page_size: u64,
    /// Whether windows are recorded.
    pub windows: bool,
    /// Swap bios by origin, if they are sampled.
    pub bios: Option<&'a BTreeMap<Origin, u64>>,
    /// What was handed to the writers, if there are writers.
    pub handoff: Option<&'a Handoff>,
}

pub(super) fn section(writes: &Writes, known: &Known<'_>) -> WritesSection {
    let (page_size, windows_known) = (known.page_size, known.windows);
    let pages = total(writes.origins.values().map(crate::ledger::OriginWrites::pages));
    let taken = |origin| known.handoff.and_then(|ledger| ledger.origins.get(&origin)).map_or(0, |of| of.taken.pages);
    let all_taken = total(Origin::ALL.iter().map(|&origin| taken(origin)));
    let origins: Vec<OriginRow> = writes
        .origins
        .iter()
        .map(|(&origin, w)| {
            let of = w.pages();
            let kinds = by_kind(w.cells.values());
            let to_device = to_device(&kinds);
            // What zswap writes back may be handed over, too, but it is not a write of reclaim.
            let handed_pages = taken(origin).min(to_device);
            let submitted = if origin == Origin::Writer { all_taken } else { to_device.saturating_sub(handed_pages) };
            let bios = known.bios.map(|bios| bios.get(&origin).copied().unwrap_or(0));
            OriginRow {
                origin,
                windows: windows_known.then_some(w.windows),
                freed_pages: windows_known.then_some(w.reclaimed),
                folios: w.folios(),
                pages: of,
                handed_pages,
                bytes: of.saturating_mul(page_size),
                share: share(of, pages),
                types: w.cells.iter().map(|(t, kinds)| (*t, total(kinds.values().map(|c| c.pages)))).collect(),
                kinds,
                cells: w.cells.clone(),
                orders: w.orders.clone(),
                nodes: w.nodes.clone(),
                bios,
                pages_per_bio: bios
                    .filter(|bios| *bios > 0 && submitted > 0)
                    .map(|bios| (100.0 * submitted as f64 / bios as f64).round() / 100.0),
            }
        })
        .collect();
    let sum = |of: &dyn Fn(&OriginRow) -> u64| total(origins.iter().map(of));
    // Pages that it did not hand over.
    let own = |is: fn(Origin) -> bool| {
        sum(&|row| if is(row.origin) { row.pages.saturating_sub(row.handed_pages) } else { 0 })
    };
    let failed = writes.failed.iter().filter(|(_, failed)| failed.requests > 0);
    WritesSection {
        failed_pages: sum(&|row| row.kinds.get(&Kind::Failed).copied().unwrap_or(0)),
        failed_devices: failed
            .map(|(device, failed)| FailedDevice { device: device.clone(), failed: *failed })
            .collect(),
        zswap_writeback: writes.zswap_writeback.clone(),
        windows: windows_known.then(|| sum(&|row| row.windows.unwrap_or(0))),
        freed_pages: windows_known.then(|| sum(&|row| row.freed_pages.unwrap_or(0))),
        folios: sum(&|row| row.folios),
        pages,
        bytes: pages.saturating_mul(page_size),
        types: Type::ALL.iter().map(|t| (*t, sum(&|row| row.types.get(t).copied().unwrap_or(0)))).collect(),
        kinds: Kind::ALL.iter().map(|k| (*k, sum(&|row| row.kinds.get(k).copied().unwrap_or(0)))).collect(),
        background_pages: own(|origin| origin == Origin::Kswapd),
        writer_pages: sum(&|row| row.handed_pages),
        foreground_pages: own(|origin| !matches!(origin, Origin::Kswapd | Origin::Lost)),
        origins,
    }
}

fn by_kind<'a>(types: impl Iterator<Item = &'a BTreeMap<Kind, Cell>>) -> BTreeMap<Kind, u64> {
    let mut kinds = BTreeMap::new();
    for (kind, cell) in types.flatten() {
        let sum: &mut u64 = kinds.entry(*kind).or_default();
        *sum = sum.saturating_add(cell.pages);
    }
    kinds
}

/// `part` of `whole`, 0 to 1.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The pages of one cgroup that reclaim wrote.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CgroupRow {
    /// The hierarchy in which its id is unique.
    pub hierarchy: Hierarchy,
    /// Its id.
    pub id: u64,
    /// Its path, or the path that it had when it was removed; absent if this is not known, or if it is in a v1
    /// hierarchy.
    pub path: Option<String>,
    /// Whether it has been removed.
    pub removed: bool,
    /// What runs in it, if the path tells: a container, a pod, a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Pages.
    pub pages: u64,
    /// At most this many pages more are its own. They are among `table_full_pages`, because it had no row for a while.
    pub missed_pages: u64,
    /// Its share of all pages charged to cgroups, 0 to 1.
    pub share: f64,
    /// Pages by the origin that wrote them.
    pub origins: BTreeMap<Origin, u64>,
}

/// The cgroups whose pages were written.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CgroupsSection {
    /// The cgroups. The one with the most pages comes first.
    pub groups: Vec<CgroupRow>,
    /// Pages of cgroups for which the table had no room, and pages of no cgroup.
    pub table_full_pages: u64,
    /// Pages of cgroups that were removed, and whose rows others have by now.
    pub removed_pages: u64,
    /// In an interval, how many cgroups lost their row to another.
    pub lost_rows: u64,
}

pub(super) fn cgroups(ledger: &Cgroups) -> CgroupsSection {
    let table_full_pages = total(ledger.other.values().copied());
    let removed_pages = total(ledger.removed.values().copied());
    let all = total(ledger.groups.values().map(crate::ledger::Cgroup::total).chain([table_full_pages, removed_pages]));
    let mut groups: Vec<CgroupRow> = ledger
        .groups
        .iter()
        .map(|(&(hierarchy, id), group)| CgroupRow {
            hierarchy,
            id,
            name: group.path.as_deref().and_then(container::name),
            path: group.path.clone(),
            removed: group.removed,
            pages: group.total(),
            missed_pages: group.missed,
            share: share(group.total(), all),
            origins: group.pages.iter().filter(|(_, n)| **n > 0).map(|(o, n)| (*o, *n)).collect(),
        })
        .filter(|row| row.pages > 0)
        .collect();
    groups.sort_by(|a, b| b.pages.cmp(&a.pages).then(a.id.cmp(&b.id)));
    CgroupsSection { groups, table_full_pages, removed_pages, lost_rows: ledger.lost_rows }
}

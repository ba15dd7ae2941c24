// SPDX-License-Identifier: GPL-2.0

//! `writes` and `cgroups`: what reclaim wrote, by origin and by cgroup.

use super::Paths;
use crate::{
    kernel_ext::{
        cell::Cell64,
        system, //
    },
    ledgers::{
        writes::{
            FolioCount,
            OriginWrites,
            NODES,
            ORDERS, //
        },
        Ledgers, //
    },
    words::{
        Function,
        Kind,
        MemoryType,
        Origin, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

fn sum(ledgers: &Ledgers, origin: Origin, get: impl Fn(&OriginWrites) -> Option<&Cell64>) -> u64 {
    ledgers
        .writes
        .sum(|w| w.origin(origin).and_then(&get).map_or(0, Cell64::get))
}

/// Returns the numbers of folios and pages that were queued, and failed later.
fn failed_late(ledgers: &Ledgers, origin: Origin, anon: bool) -> [u64; 2] {
    let counts = &ledgers.swap_io.counts;
    let sum = |get: fn(&FolioCount) -> &Cell64| {
        counts.sum(|e| e.failed(origin, anon).map_or(0, |count| get(count).get()))
    };
    [sum(|c| &c.folios), sum(|c| &c.pages)]
}

/// Formats the pages that zswap wrote back, which are no writes of reclaim, and the devices that
/// failed.
fn ends(ledgers: &Ledgers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let state = match ledgers.states.function(Function::ZswapWriteback) {
        state if state.works() => "on",
        _ => "unavailable",
    };
    let counts = &ledgers.swap_io.counts;
    writeln!(f, "zswap_writeback {state}")?;
    let worker = counts.sum(|e| e.zswap_worker.get());
    writeln!(f, "zswap_writeback.worker.pages {worker}")?;
    for &origin in Origin::ALL {
        let pages = counts.sum(|e| e.zswap(origin));
        writeln!(f, "zswap_writeback.{}.pages {pages}", origin.name())?;
    }
    let failed = counts.sum(|e| e.zswap_failed.get());
    writeln!(f, "zswap_writeback.failed.pages {failed}")?;
    for device in ledgers.swap_io.devices() {
        let name = device.name();
        let name = system::text(&name);
        writeln!(f, "device.{name}.failed.requests {}", device.requests())?;
        writeln!(f, "device.{name}.failed.pages {}", device.pages())?;
    }
    Ok(())
}

/// Returns the counts of one type of memory, by kind.
fn by_kind(ty: MemoryType) -> fn(&OriginWrites) -> &[FolioCount; Kind::COUNT] {
    match ty {
        MemoryType::Anon => |o| &o.anon,
        MemoryType::Shmem => |o| &o.shmem,
    }
}

/// Formats the file `writes`.
pub(super) fn writes(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut all_folios, mut all_pages) = (0u64, 0u64);

    for &origin in Origin::ALL {
        let name = origin.name();
        for &ty in MemoryType::ALL {
            let (by_kind, anon) = (by_kind(ty), ty == MemoryType::Anon);
            let ty = ty.name();
            for &kind in Kind::ALL {
                let i = kind as usize;
                let mut folios = sum(ledgers, origin, |o| by_kind(o).get(i).map(|c| &c.folios));
                let mut pages = sum(ledgers, origin, |o| by_kind(o).get(i).map(|c| &c.pages));
                // Folios that were queued, and failed later, were first counted as `io`.
                let [late_folios, late_pages] = failed_late(ledgers, origin, anon);
                match kind {
                    Kind::Io => {
                        folios = folios.saturating_sub(late_folios);
                        pages = pages.saturating_sub(late_pages);
                    }
                    Kind::Failed => {
                        folios = folios.wrapping_add(late_folios);
                        pages = pages.wrapping_add(late_pages);
                    }
                    _ => {}
                }
                let kind = kind.name();
                writeln!(f, "{name}.{ty}.{kind}.folios {folios}")?;
                writeln!(f, "{name}.{ty}.{kind}.pages {pages}")?;
                all_folios = all_folios.wrapping_add(folios);
                all_pages = all_pages.wrapping_add(pages);
            }
        }
        for order in 0..ORDERS {
            let n = sum(ledgers, origin, |o| o.orders.get(order));
            writeln!(f, "{name}.order.{order}.folios {n}")?;
        }
        for nid in (0..NODES).filter(|&n| system::node_online(n as u32)) {
            let n = sum(ledgers, origin, |o| o.nodes.get(nid));
            writeln!(f, "{name}.node.{nid}.pages {n}")?;
        }
        let windows = sum(ledgers, origin, |o| Some(&o.windows));
        let reclaimed = sum(ledgers, origin, |o| Some(&o.reclaimed));
        writeln!(f, "{name}.windows {windows}")?;
        writeln!(f, "{name}.reclaimed {reclaimed}")?;
    }
    writeln!(f, "total.folios {all_folios}")?;
    writeln!(f, "total.pages {all_pages}")?;
    ends(ledgers, f)
}

/// Formats the file `cgroups`.
pub(super) fn cgroups(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let totals = ledgers.cgroups.totals().map_err(|_| fmt::Error)?;
    let mut paths = Paths::new()?;

    for total in totals.cgroups() {
        let id = total.key.id();
        // A v2 cgroup and one of v1 may have the same id.
        let row = match total.key.is_v1() {
            true => "cgroup_v1",
            false => "cgroup",
        };
        let path = super::path(&ledgers.known, total.key, total.removed, &mut paths);
        writeln!(f, "{row}.{id}.path {path}")?;
        if total.removed {
            writeln!(f, "{row}.{id}.removed 1")?;
        }
        if total.missed != 0 {
            writeln!(f, "{row}.{id}.missed.pages {}", total.missed)?;
        }
        for (origin, pages) in Origin::ALL.iter().zip(total.counts) {
            if pages != 0 {
                writeln!(f, "{row}.{id}.{}.pages {pages}", origin.name())?;
            }
        }
    }
    for (origin, pages) in Origin::ALL.iter().zip(totals.other) {
        if pages != 0 {
            writeln!(f, "other.{}.pages {pages}", origin.name())?;
        }
    }
    for (origin, pages) in Origin::ALL.iter().zip(totals.removed) {
        if pages != 0 {
            writeln!(f, "removed.{}.pages {pages}", origin.name())?;
        }
    }
    Ok(())
}

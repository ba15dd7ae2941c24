// SPDX-License-Identifier: GPL-2.0

//! `writes` and `cgroups`: what reclaim wrote, by origin and by cgroup.

use super::Paths;
use crate::{
    kernel_ext::{
        cell::Cell64,
        system, //
    },
    observer::Observer,
    origin::{
        Kind,
        Origin, //
    },
    writes::{
        Count,
        OriginWrites,
        NODES,
        ORDERS, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

fn sum(obs: &Observer, origin: Origin, get: impl Fn(&OriginWrites) -> Option<&Cell64>) -> u64 {
    obs.writes
        .sum(|w| w.origin(origin).and_then(&get).map_or(0, Cell64::get))
}

/// Writes the file `writes`.
pub(super) fn writes(obs: &Arc<Observer>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    type ByKind = fn(&OriginWrites) -> &[Count; Kind::COUNT];
    let types: [(&str, ByKind); 2] = [("anon", |o| &o.anon), ("shmem", |o| &o.shmem)];
    let (mut all_folios, mut all_pages) = (0u64, 0u64);

    for &origin in Origin::ALL {
        let name = origin.name();
        for (ty, by_kind) in types {
            for &kind in Kind::ALL {
                let i = kind as usize;
                let folios = sum(obs, origin, |o| by_kind(o).get(i).map(|c| &c.folios));
                let pages = sum(obs, origin, |o| by_kind(o).get(i).map(|c| &c.pages));
                let kind = kind.name();
                writeln!(f, "{name}.{ty}.{kind}.folios {folios}")?;
                writeln!(f, "{name}.{ty}.{kind}.pages {pages}")?;
                all_folios = all_folios.wrapping_add(folios);
                all_pages = all_pages.wrapping_add(pages);
            }
        }
        for order in 0..ORDERS {
            let n = sum(obs, origin, |o| o.orders.get(order));
            writeln!(f, "{name}.order.{order}.folios {n}")?;
        }
        for nid in (0..NODES).filter(|&n| system::node_online(n as u32)) {
            let n = sum(obs, origin, |o| o.nodes.get(nid));
            writeln!(f, "{name}.node.{nid}.pages {n}")?;
        }
        let windows = sum(obs, origin, |o| Some(&o.windows));
        let reclaimed = sum(obs, origin, |o| Some(&o.reclaimed));
        writeln!(f, "{name}.windows {windows}")?;
        writeln!(f, "{name}.reclaimed {reclaimed}")?;
    }
    writeln!(f, "total.folios {all_folios}")?;
    writeln!(f, "total.pages {all_pages}")
}

/// Writes the file `cgroups`.
pub(super) fn cgroups(obs: &Arc<Observer>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let totals = obs.cgroups.totals().map_err(|_| fmt::Error)?;
    let mut paths = Paths::new()?;

    for total in totals.cgroups() {
        let id = total.key.id();
        // A v2 cgroup may have the same id as one of v1.
        let row = match total.key.is_v1() {
            true => "cgroup_v1",
            false => "cgroup",
        };
        let path = super::path(&obs.known, total.key, total.removed, &mut paths);
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

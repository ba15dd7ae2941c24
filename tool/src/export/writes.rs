// SPDX-License-Identifier: GPL-2.0
//! What reclaim wrote, in pieces of which size, and how much stack was left.

use super::{Bounds, Family, REMOVED, Samples, Value, cgroup};
use crate::{
    ledger::{Batches, Cell, Cgroups, GroupState, Headroom, Hierarchy, Ledgers, Writes},
    names::Kind,
};

/// Adds the samples of `writes`, `headroom` and `batches`, and with `cgroups` also those of `cgroups`.
pub fn add(samples: &mut Samples, ledgers: &Ledgers, cgroups: bool) {
    if let Ok(ledger) = &ledgers.writes {
        writes(samples, ledger);
    }
    if let Ok(ledger) = &ledgers.headroom {
        headroom(samples, ledger);
    }
    if let Ok(ledger) = ledgers.batches.as_ref().map_err(drop).and_then(on) {
        batches(samples, ledger);
    }
    if let (true, Ok(ledger)) = (cgroups, &ledgers.cgroups) {
        by_cgroup(samples, ledger);
    }
}

fn on(batches: &Batches) -> Result<&Batches, ()> {
    if batches.state == GroupState::On { Ok(batches) } else { Err(()) }
}

fn writes(samples: &mut Samples, ledger: &Writes) {
    for (origin, writes) in &ledger.origins {
        let origin = origin.key();
        samples.number(Family::Windows, &[origin], writes.windows);
        samples.number(Family::FreedPages, &[origin], writes.reclaimed);
        for (of_type, kinds) in &writes.cells {
            let failed = kinds.get(&Kind::Failed).copied().unwrap_or_default();
            for (kind, cell) in kinds {
                let cell = match kind {
                    // What was queued and fails later goes from one to the other. Together they only grow.
                    Kind::Io => Cell {
                        folios: cell.folios.saturating_add(failed.folios),
                        pages: cell.pages.saturating_add(failed.pages),
                    },
                    Kind::Failed => continue,
                    _ => *cell,
                };
                let labels = [origin, of_type.key(), kind.key()];
                samples.number(Family::WrittenFolios, &labels, cell.folios);
                samples.number(Family::WrittenPages, &labels, cell.pages);
            }
            samples.number(Family::FailedFolios, &[origin, of_type.key()], failed.folios);
            samples.number(Family::FailedPages, &[origin, of_type.key()], failed.pages);
        }
        for (order, folios) in &writes.orders {
            samples.number(Family::OrderFolios, &[origin, &order.to_string()], *folios);
        }
        for (node, pages) in &writes.nodes {
            samples.number(Family::NodePages, &[origin, &node.to_string()], *pages);
        }
    }
}

fn headroom(samples: &mut Samples, ledger: &Headroom) {
    let bounds = Bounds::whole(64, 32768);
    samples.number(Family::StackSize, &[], ledger.stack_size);
    for (origin, layers) in &ledger.cells {
        for (layer, cell) in layers {
            let Some(min) = cell.min else { continue };
            let labels = [origin.key(), layer.key()];
            samples.number(Family::HeadroomMin, &labels, min);
            samples.histogram(Family::Headroom, &labels, &bounds, &cell.hist, Value::Number(cell.sum));
        }
    }
}

fn batches(samples: &mut Samples, ledger: &Batches) {
    let bounds = Bounds::whole(1, 1024);
    for (origin, batches) in &ledger.origins {
        if batches.hist.values().all(|n| *n == 0) {
            continue;
        }
        let origin = origin.key();
        samples.histogram(Family::BatchPages, &[origin], &bounds, &batches.hist, Value::Number(batches.pages));
        if ledger.reasons == GroupState::On {
            for (reason, n) in &batches.ended {
                samples.number(Family::BatchesEnded, &[origin, reason.key()], *n);
            }
        }
    }
}

fn by_cgroup(samples: &mut Samples, ledger: &Cgroups) {
    for ((hierarchy, id), group) in &ledger.groups {
        let id = id.to_string();
        let [hierarchy, id, path] = cgroup(*hierarchy, &id, group.path.as_deref());
        for (origin, pages) in &group.pages {
            samples.number(Family::CgroupPages, &[hierarchy, id, path, origin.key()], *pages);
        }
    }
    for (heir, path) in [(&ledger.other, None), (&ledger.removed, Some(REMOVED))] {
        for (origin, pages) in heir {
            let [hierarchy, id, path] = cgroup(Hierarchy::V2, "0", path);
            samples.number(Family::CgroupPages, &[hierarchy, id, path, origin.key()], *pages);
        }
    }
}

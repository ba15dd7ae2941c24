// SPDX-License-Identifier: GPL-2.0
//! What tasks waited for because memory was short.

use super::{Bounds, Family, REMOVED, Samples, Value, cgroup};
use crate::ledger::{CgroupWaits, GroupState, Hierarchy, Ledgers, WaitCgroups, Waits};

/// Adds the samples of the parts of `waits` that are on, and with `cgroups` also those by cgroup.
pub fn add(samples: &mut Samples, ledgers: &Ledgers, cgroups: bool) {
    let Ok(ledger) = &ledgers.waits else { return };
    let bounds = Bounds::seconds();
    for (kind, waits) in ledger.kinds.iter().filter(|(kind, _)| ledger.state_of(**kind) == GroupState::On) {
        samples.histogram(Family::Waits, &[kind.key()], &bounds, &waits.hist, Value::Nanos(waits.all.ns));
        if ledger.psi_state == GroupState::On {
            samples.add(Family::WaitsPsi, &[kind.key()], Value::Nanos(waits.psi_ns));
        }
    }
    if ledger.refaults_state == GroupState::On {
        for (sort, pages) in [("anon", &ledger.anon), ("file", &ledger.file)] {
            for (limit, n) in pages {
                samples.number(Family::Refaults, &[sort, limit.key()], *n);
            }
        }
    }
    for (device, kinds) in &ledger.devices {
        for (kind, waits) in kinds.iter().filter(|(kind, _)| ledger.state_of(**kind) == GroupState::On) {
            samples.add(Family::DeviceWaits, &[device, kind.key()], Value::Nanos(waits.ns));
        }
    }
    if let (true, Ok(cgroups)) = (cgroups, &ledgers.wait_cgroups) {
        by_cgroup(samples, ledger, cgroups);
    }
}

fn by_cgroup(samples: &mut Samples, ledger: &Waits, cgroups: &WaitCgroups) {
    let mut one = |hierarchy: Hierarchy, id: u64, path: Option<&str>, waits: &CgroupWaits| {
        let id = id.to_string();
        let [hierarchy, id, path] = cgroup(hierarchy, &id, path);
        for (kind, n) in waits.kinds.iter().filter(|(kind, _)| ledger.state_of(**kind) == GroupState::On) {
            samples.add(Family::CgroupWaits, &[hierarchy, id, path, kind.key()], Value::Nanos(n.ns));
        }
        if ledger.refaults_state == GroupState::On {
            samples.number(Family::CgroupRefaults, &[hierarchy, id, path, "anon"], waits.anon_pages);
            samples.number(Family::CgroupRefaults, &[hierarchy, id, path, "file"], waits.file_pages);
        }
    };
    for ((hierarchy, id), waits) in &cgroups.groups {
        one(*hierarchy, *id, waits.path.as_deref(), waits);
    }
    one(Hierarchy::V2, 0, None, &cgroups.other);
    let removed = &cgroups.removed;
    if removed.ns() > 0 || removed.anon_pages > 0 || removed.file_pages > 0 {
        one(Hierarchy::V2, 0, Some(REMOVED), removed);
    }
}

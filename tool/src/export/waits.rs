// SPDX-License-Identifier: GPL-2.0
//! What tasks waited for because memory was short.

use super::{Bounds, Family, Samples, Value, cgroup};
use crate::ledger::{GroupState, Ledgers};

/// Adds the samples of `waits`, if it is on, and with `cgroups` also those by cgroup.
pub fn add(samples: &mut Samples, ledgers: &Ledgers, cgroups: bool) {
    let Some(ledger) = ledgers.waits.as_ref().ok().filter(|ledger| ledger.state != GroupState::Off) else {
        return;
    };
    let bounds = Bounds::seconds();
    for (kind, waits) in &ledger.kinds {
        samples.histogram(Family::Waits, &[kind.key()], &bounds, &waits.hist, Value::Nanos(waits.all.ns));
        samples.add(Family::WaitsPsi, &[kind.key()], Value::Nanos(waits.psi_ns));
    }
    for (sort, pages) in [("anon", &ledger.anon), ("file", &ledger.file)] {
        for (limit, n) in pages {
            samples.number(Family::Refaults, &[sort, limit.key()], *n);
        }
    }
    for (device, kinds) in &ledger.devices {
        for (kind, waits) in kinds {
            samples.add(Family::DeviceWaits, &[device, kind.key()], Value::Nanos(waits.ns));
        }
    }
    if let (true, Ok(ledger)) = (cgroups, &ledgers.wait_cgroups) {
        for ((hierarchy, id), waits) in &ledger.groups {
            let id = id.to_string();
            let [hierarchy, id, path] = cgroup(*hierarchy, &id, waits.path.as_deref());
            for (kind, n) in &waits.kinds {
                samples.add(Family::CgroupWaits, &[hierarchy, id, path, kind.key()], Value::Nanos(n.ns));
            }
            samples.number(Family::CgroupRefaults, &[hierarchy, id, path, "anon"], waits.anon_pages);
            samples.number(Family::CgroupRefaults, &[hierarchy, id, path, "file"], waits.file_pages);
        }
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Where the time of tasks that wanted memory went.

use super::{Bounds, Family, REMOVED, Samples, Value, cgroup};
use crate::{
    ledger::{CgroupStalls, GroupState, Hierarchy, Ledgers, Log2, Part, StallCgroups, Stalls, total},
    names::Cause,
};

/// Adds the samples of `stalls` and `stalls_locks` if stalls are timed, and with `cgroups` also those of
/// `stalls_cgroups`.
pub fn add(samples: &mut Samples, ledgers: &Ledgers, cgroups: bool) {
    let Some(ledger) = ledgers.stalls.as_ref().ok().filter(|ledger| ledger.on) else { return };
    by_origin(samples, ledger);
    by_cause(samples, ledger);
    samples.number(Family::StallsClean, &[], ledger.clean.stalls);
    samples.add(Family::StallsCleanTime, &[], Value::Nanos(ledger.clean.ns));
    if let Some(locks) = ledgers.locks.as_ref().ok().filter(|locks| locks.state == GroupState::On) {
        samples.number(Family::StallLockWaits, &[], locks.all.waits);
        samples.add(Family::StallLockTime, &[], Value::Nanos(locks.all.ns));
    }
    if let (true, Ok(cgroups)) = (cgroups, &ledgers.stall_cgroups) {
        by_cgroup(samples, cgroups);
    }
}

fn by_origin(samples: &mut Samples, ledger: &Stalls) {
    let bounds = Bounds::seconds();
    for (origin, stalls) in &ledger.origins {
        let origin = origin.key();
        samples.histogram(Family::Stalls, &[origin], &bounds, &stalls.hist, Value::Nanos(stalls.ns));
        samples.add(Family::StallLongest, &[origin], Value::Nanos(stalls.longest_ns));
        samples.number(Family::StallScanned, &[origin], stalls.scanned);
        samples.number(Family::StallFreed, &[origin], stalls.freed);
        for (cause, time) in &stalls.causes {
            samples.add(Family::StallCauses, &[origin, cause.key()], Value::Nanos(time.ns));
        }
    }
}

fn by_cause(samples: &mut Samples, ledger: &Stalls) {
    let bounds = Bounds::seconds();
    for &cause in Cause::ALL {
        let told_apart = ledger.parts.get(&cause) == Some(&Part::Available);
        samples.add(Family::StallPartAvailable, &[cause.key()], Value::flag(told_apart));
        let mut hist = Log2::new();
        for time in ledger.origins.values().filter_map(|stalls| stalls.causes.get(&cause)) {
            for (low, n) in &time.hist {
                let sum: &mut u64 = hist.entry(*low).or_default();
                *sum = sum.saturating_add(*n);
            }
        }
        let ns = ledger.origins.values().filter_map(|stalls| stalls.causes.get(&cause)).map(|time| time.ns);
        if hist.values().any(|n| *n > 0) {
            samples.histogram(Family::StallParts, &[cause.key()], &bounds, &hist, Value::Nanos(total(ns)));
        }
    }
}

fn by_cgroup(samples: &mut Samples, ledger: &StallCgroups) {
    let mut one = |hierarchy: Hierarchy, id: u64, path: Option<&str>, stalls: &CgroupStalls| {
        let id = id.to_string();
        let [hierarchy, id, path] = cgroup(hierarchy, &id, path);
        samples.number(Family::CgroupStalls, &[hierarchy, id, path], stalls.stalls);
        for (cause, ns) in &stalls.causes {
            let labels = [hierarchy, id, path, cause.key()];
            samples.add(Family::CgroupStallCauses, &labels, Value::Nanos(*ns));
        }
    };
    for ((hierarchy, id), stalls) in &ledger.groups {
        one(*hierarchy, *id, stalls.path.as_deref(), stalls);
    }
    one(Hierarchy::V2, 0, None, &ledger.other);
    if ledger.removed.stalls > 0 {
        one(Hierarchy::V2, 0, Some(REMOVED), &ledger.removed);
    }
}

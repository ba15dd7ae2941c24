// SPDX-License-Identifier: GPL-2.0
//! What reclaim does apart from writing: shrinkers, compaction, TLB flushes, metadata that it evicts.

use super::{Bounds, Family, Samples, Value};
use crate::{
    ledger::{Compaction, GroupState, Ledgers, Metadata, Shrinkers, Tlb, total},
    names::Outcome,
};

/// Adds the samples of those of `shrinkers`, `compaction`, `tlb` and `metadata` that are on.
pub fn add(samples: &mut Samples, ledgers: &Ledgers) {
    if let Some(ledger) = ledgers.shrinkers.as_ref().ok().filter(|ledger| ledger.state == GroupState::On) {
        shrinkers(samples, ledger);
    }
    if let Some(ledger) = ledgers.compaction.as_ref().ok().filter(|ledger| ledger.state == GroupState::On) {
        compaction(samples, ledger);
    }
    if let Some(ledger) = ledgers.tlb.as_ref().ok().filter(|ledger| ledger.state == GroupState::On) {
        tlb(samples, ledger);
    }
    if let Some(ledger) = ledgers.metadata.as_ref().ok().filter(|ledger| ledger.state == GroupState::On) {
        metadata(samples, ledger);
    }
}

/// The samples are sums over all rows. There may be a shrinker for each mount and cgroup, and if a row is given to
/// another one, what it had counted is in `other` or `removed`, of which the origin is not known. So what is counted of an
/// origin may fall.
fn shrinkers(samples: &mut Samples, ledger: &Shrinkers) {
    let mut all = ledger.other;
    all.add(ledger.removed);
    for counts in ledger.rows.values() {
        all.add(*counts);
    }
    samples.number(Family::ShrinkerCalls, &[], all.calls);
    for (reason, n) in [("empty", all.empty), ("idle", all.idle), ("refused", all.refused)] {
        samples.number(Family::ShrinkerUseless, &[reason], n);
    }
    samples.number(Family::ShrinkerScanned, &[], all.scanned);
    samples.number(Family::ShrinkerFreed, &[], all.freed);
    samples.number(Family::ShrinkerFreedPages, &[], all.freed_pages);
    for (what, ns) in [("count", all.count_ns), ("scan", all.scan_ns)] {
        samples.add(Family::ShrinkerTime, &[what], Value::Nanos(ns));
    }
}

fn compaction(samples: &mut Samples, ledger: &Compaction) {
    let bounds = Bounds::seconds();
    for (order, tries) in &ledger.orders {
        let order = order.to_string();
        for (result, tried) in &tries.results {
            samples.number(Family::CompactionAttempts, &[&order, result.key()], tried.attempts);
        }
        let outcomes =
            [(Outcome::Served, tries.served), (Outcome::Again, tries.again), (Outcome::Failed, tries.failed)];
        for (outcome, n) in outcomes {
            samples.number(Family::CompactionOutcomes, &[&order, outcome.name()], n);
        }
        samples.number(Family::CompactionRaces, &[&order], tries.races);
        let ns = total(tries.results.values().map(|tried| tried.ns));
        samples.histogram(Family::Compaction, &[&order], &bounds, &tries.hist, Value::Nanos(ns));
    }
}

fn tlb(samples: &mut Samples, ledger: &Tlb) {
    for ((origin, purpose), flushes) in &ledger.flushes {
        let labels = [origin.key(), purpose.key()];
        samples.number(Family::TlbFlushes, &labels, flushes.asked);
        samples.number(Family::TlbInterrupts, &labels, flushes.ipis);
        samples.add(Family::TlbTime, &labels, Value::Nanos(flushes.ns));
    }
}

fn metadata(samples: &mut Samples, ledger: &Metadata) {
    for (origin, pages) in &ledger.origins {
        samples.number(Family::MetadataEvicted, &[origin.key()], *pages);
    }
    for (name, device) in &ledger.devices {
        samples.number(Family::MetadataDeviceEvicted, &[name], device.evicted);
        samples.number(Family::MetadataDeviceReread, &[name], device.reread);
        for (bitmap, reads) in [("blocks", device.blocks), ("inodes", device.inodes)] {
            if let Some(reads) = reads {
                samples.number(Family::MetadataBitmaps, &[name, bitmap], reads.reads);
                samples.number(Family::MetadataBitmapsReread, &[name, bitmap], reads.reread);
            }
        }
    }
}

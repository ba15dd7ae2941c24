// SPDX-License-Identifier: GPL-2.0
//! What reclaim does apart from writing: shrinkers, compaction, TLB flushes, metadata that it evicts.

use std::collections::BTreeMap;

use super::{Bounds, Family, Samples, Value};
use crate::{
    ledger::{Compaction, GroupState, Ledgers, Metadata, ShrinkerCounts, Shrinkers, Tlb, total},
    names::{Origin, Outcome},
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

/// The samples are only by origin, because there may be a shrinker for each mount and cgroup.
fn shrinkers(samples: &mut Samples, ledger: &Shrinkers) {
    let mut origins = BTreeMap::<&str, ShrinkerCounts>::new();
    for origin in Origin::ALL {
        origins.insert(origin.key(), ShrinkerCounts::default());
    }
    for (key, counts) in &ledger.rows {
        origins.entry(key.origin.key()).or_default().add(*counts);
    }
    // What the ledger had no room for is of all origins.
    origins.insert("unknown", ledger.other);
    for (origin, counts) in origins {
        samples.number(Family::ShrinkerCalls, &[origin], counts.calls);
        for (reason, n) in [("empty", counts.empty), ("idle", counts.idle), ("refused", counts.refused)] {
            samples.number(Family::ShrinkerUseless, &[origin, reason], n);
        }
        samples.number(Family::ShrinkerScanned, &[origin], counts.scanned);
        samples.number(Family::ShrinkerFreed, &[origin], counts.freed);
        samples.number(Family::ShrinkerFreedPages, &[origin], counts.freed_pages);
        for (what, ns) in [("count", counts.count_ns), ("scan", counts.scan_ns)] {
            samples.add(Family::ShrinkerTime, &[origin, what], Value::Nanos(ns));
        }
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

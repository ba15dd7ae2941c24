// SPDX-License-Identifier: GPL-2.0
//! What takes pages from the reserves, how low they are, and how long tasks wait for them.

use super::{Bounds, Family, Samples, Value};
use crate::ledger::{GroupState, Ledgers, Reserves, total};

/// Adds the samples of the parts of `reserves` that are on.
pub fn add(samples: &mut Samples, ledgers: &Ledgers) {
    let Ok(ledger) = &ledgers.reserves else { return };
    if ledger.state == GroupState::On {
        for (user, taken) in &ledger.users {
            samples.number(Family::ReserveAllocations, &[user], taken.allocations);
            samples.number(Family::ReservePages, &[user], taken.pages);
            samples.number(Family::ReserveBelowMin, &[user], taken.below_min_pages);
        }
    }
    zones(samples, ledger);
    if ledger.waits_state == GroupState::On {
        waits(samples, ledger);
    }
    if ledger.drops_state == GroupState::On {
        samples.number(Family::ReserveDrops, &[], ledger.drops);
    }
    if let Some(sockets) = ledger.sockets {
        samples.number(Family::ReserveSockets, &[], sockets);
    }
}

fn zones(samples: &mut Samples, ledger: &Reserves) {
    for (place, zone) in &ledger.zones {
        // The name is like `0.DMA32`.
        let (node, name) = place.split_once('.').unwrap_or(("", place));
        let labels = [node, name];
        samples.number(Family::ZoneFree, &labels, zone.free);
        samples.number(Family::ZoneMin, &labels, zone.min);
        samples.number(Family::ZoneLow, &labels, zone.low);
        if let Some(lowest) = &zone.lowest {
            samples.number(Family::ZoneLowest, &labels, lowest.free_pages);
            samples.number(Family::ZoneLowestMin, &labels, lowest.min_pages);
        }
    }
}

fn waits(samples: &mut Samples, ledger: &Reserves) {
    let ns = total(ledger.waits.values().map(|waits| waits.ns));
    samples.histogram(Family::ReserveWait, &[], &Bounds::seconds(), &ledger.hist, Value::Nanos(ns));
    for (ended, waits) in &ledger.waits {
        samples.number(Family::ReserveWaits, &[ended], waits.waits);
    }
    for (node, waits) in &ledger.nodes {
        samples.number(Family::ReserveNodeWaits, &[node], waits.all.waits);
        samples.add(Family::ReserveNodeWaitTime, &[node], Value::Nanos(waits.all.ns));
        samples.add(Family::ReserveNodeWaitLongest, &[node], Value::Nanos(waits.longest_ns));
    }
    samples.number(Family::ReserveWaitsOpen, &[], ledger.open);
}

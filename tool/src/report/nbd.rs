// SPDX-License-Identifier: GPL-2.0
//! Where the time of requests of NBD devices went, what was to blame, and how much swap wrote at once.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Section,
    figures::{Times, filled, mean},
};
use crate::{
    ledger::{
        Batches, GroupState, InFlight, Log2, LongestRequest, Nbd, NbdDevice, NbdRequests, OriginBatches, WaitedFor,
        total,
    },
    names::{Direction, Ended, Origin, Phase, Verdict},
};

/// If the wait for the lock took at least this share of the requests' time, advice is given.
const LOCK_SHARE: f64 = 0.2;

/// Requests of a device in one direction.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NbdRow {
    /// The direction.
    pub direction: Direction,
    /// The bytes of all requests.
    pub bytes: u64,
    /// The mean size of a request; absent if there was none.
    pub bytes_per_request: Option<f64>,
    /// How many failed.
    pub errors: u64,
    /// How often a request was given back to be tried again.
    pub requeues: u64,
    /// How many there were, and how long they took.
    pub requests: Times,
    /// Nanoseconds of all requests.
    pub ns: u64,
    /// These nanoseconds by phase.
    pub phases_ns: BTreeMap<Phase, u64>,
    /// The longest; absent if there was none, or if a longer one was before the interval.
    pub longest: Option<LongestRequest>,
    /// Requests that were not completed at the end.
    pub in_flight: InFlight,
}

/// One device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NbdDeviceRow {
    /// Its name.
    pub device: String,
    /// What most of the requests' time was lost to; absent if there was no request.
    pub verdict: Option<Verdict>,
    /// The share of this in the requests' time, 0 to 1.
    pub verdict_share: Option<f64>,
    /// The share of the requests' time that they waited for a connection, 0 to 1.
    pub lock_share: Option<f64>,
    /// Whether `lock_share` is so large that smaller requests or more connections may help.
    pub lock_held_long: bool,
    /// By direction; only directions with requests.
    pub directions: Vec<NbdRow>,
}

/// Stalls whose task waited for requests of any device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WaitedForRow {
    /// How many there were.
    pub stalls: u64,
    /// Nanoseconds that they waited.
    pub ns: u64,
    /// These nanoseconds by what the requests were waiting for in that time.
    pub phases_ns: BTreeMap<Phase, u64>,
    /// What most of this time was lost to; absent if no task waited.
    pub verdict: Option<Verdict>,
    /// The share of this in the time, 0 to 1.
    pub verdict_share: Option<f64>,
}

/// All devices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NbdSection {
    /// Whether requests are followed, at the end.
    pub state: GroupState,
    /// Whether the wait for a connection is seen.
    pub lock_state: GroupState,
    /// By device.
    pub devices: Vec<NbdDeviceRow>,
    /// Stalls that waited for requests.
    pub stalls: WaitedForRow,
    /// Requests of devices for which the ledger had no room.
    pub others_requests: u64,
}

pub(super) fn section(ledger: &Nbd) -> Section<NbdSection> {
    if ledger.state == GroupState::Unavailable {
        return Section::unavailable("requests of NBD devices cannot be followed on this kernel");
    }
    let rows = ledger.devices.iter().map(|(name, device)| device_row(name, device));
    Section::Available(NbdSection {
        state: ledger.state,
        lock_state: ledger.lock,
        devices: rows.filter(|row| !row.directions.is_empty()).collect(),
        stalls: waited_for(&ledger.stalls),
        others_requests: ledger.others,
    })
}

/// What most of the time was lost to, and how much; `None` if there was no time.
fn worst(phases: &BTreeMap<Phase, u64>) -> Option<(Verdict, u64)> {
    let mut blamed: BTreeMap<Verdict, u64> = BTreeMap::new();
    for (phase, ns) in phases {
        let sum = blamed.entry(phase.blames()).or_default();
        *sum = sum.saturating_add(*ns);
    }
    blamed.into_iter().max_by_key(|(_, ns)| *ns).filter(|(_, ns)| *ns > 0)
}

fn waited_for(stalls: &WaitedFor) -> WaitedForRow {
    let ns = total(stalls.phases.values().copied());
    let worst = worst(&stalls.phases);
    WaitedForRow {
        stalls: stalls.stalls,
        ns,
        phases_ns: stalls.phases.clone(),
        verdict: worst.map(|(verdict, _)| verdict),
        verdict_share: worst.and_then(|(_, most)| mean(most, ns)),
    }
}

fn device_row(name: &str, device: &NbdDevice) -> NbdDeviceRow {
    let mut phases: BTreeMap<Phase, u64> = BTreeMap::new();
    for requests in device.values() {
        for (phase, ns) in &requests.phases {
            let sum = phases.entry(*phase).or_default();
            *sum = sum.saturating_add(*ns);
        }
    }
    let all = total(phases.values().copied());
    let worst = worst(&phases);
    let lock = phases.get(&Phase::Lock).copied().unwrap_or(0);
    let lock_share = mean(lock, all);
    let busy = device.iter().filter(|(_, r)| r.requests > 0 || r.in_flight.requests > 0);
    NbdDeviceRow {
        device: name.to_owned(),
        verdict: worst.map(|(verdict, _)| verdict),
        verdict_share: worst.and_then(|(_, ns)| mean(ns, all)),
        lock_share,
        lock_held_long: lock_share.is_some_and(|share| share >= LOCK_SHARE),
        directions: busy.map(|(direction, requests)| row(*direction, requests)).collect(),
    }
}

fn row(direction: Direction, requests: &NbdRequests) -> NbdRow {
    let ns = total(requests.phases.values().copied());
    NbdRow {
        direction,
        bytes: requests.bytes,
        bytes_per_request: mean(requests.bytes, requests.requests),
        errors: requests.errors,
        requeues: requests.requeues,
        requests: Times::new(requests.requests, ns / 1000, &requests.hist),
        ns,
        phases_ns: requests.phases.clone(),
        longest: requests.longest.clone(),
        in_flight: requests.in_flight.clone(),
    }
}

/// Swap writes of one origin.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchRow {
    /// The origin.
    pub origin: Origin,
    /// How many there were.
    pub batches: u64,
    /// Pages in them.
    pub pages: u64,
    /// The mean number of pages in a write.
    pub pages_per_batch: Option<f64>,
    /// By the reason why they ended.
    pub ended: BTreeMap<Ended, u64>,
    /// Writes whose reason was not known yet.
    pub open: u64,
    /// By lower bound of pages.
    pub histogram: Log2,
}

/// All swap writes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchesSection {
    /// Whether the module knows why they ended, at the end.
    pub reasons: GroupState,
    /// By origin; only origins that wrote.
    pub origins: Vec<BatchRow>,
}

pub(super) fn batches(ledger: &Batches) -> Section<BatchesSection> {
    if ledger.state == GroupState::Unavailable {
        return Section::unavailable("swap writes cannot be probed on this kernel");
    }
    let wrote = ledger.origins.iter().filter(|(_, one)| one.batches > 0);
    Section::Available(BatchesSection {
        reasons: ledger.reasons,
        origins: wrote.map(|(origin, one)| batch_row(*origin, one)).collect(),
    })
}

fn batch_row(origin: Origin, one: &OriginBatches) -> BatchRow {
    BatchRow {
        origin,
        batches: one.batches,
        pages: one.pages,
        pages_per_batch: mean(one.pages, one.batches),
        ended: one.ended.iter().filter(|(_, n)| **n > 0).map(|(why, n)| (*why, *n)).collect(),
        open: one.open,
        histogram: filled(&one.hist),
    }
}

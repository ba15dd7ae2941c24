// SPDX-License-Identifier: GPL-2.0
//! `nbd`: where the time of requests of NBD devices goes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::{State, sparse},
    half::Log2,
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{Direction, Phase},
};

/// The longest request.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LongestRequest {
    /// Nanoseconds.
    pub ns: u64,
    /// Its size.
    pub bytes: u64,
    /// Nanoseconds by phase. Their sum is `ns`.
    pub phases_ns: BTreeMap<Phase, u64>,
}

/// Requests that are not completed.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct InFlight {
    /// How many there were.
    pub requests: u64,
    /// How long the oldest has been under way, in nanoseconds.
    pub oldest_ns: u64,
    /// These requests by what they are waiting for.
    pub phases: BTreeMap<Phase, u64>,
}

/// Requests of a device in one direction.
#[derive(Clone, Debug, Default)]
pub struct NbdRequests {
    /// Requests that were completed.
    pub requests: u64,
    /// The bytes of these requests.
    pub bytes: u64,
    /// How many of these requests failed.
    pub errors: u64,
    /// How often a request was given back to be tried again.
    pub requeues: u64,
    /// Nanoseconds by phase.
    pub phases: BTreeMap<Phase, u64>,
    /// Requests by microseconds.
    pub hist: Log2,
    /// The longest; `None` if there was none, or if it was before the interval.
    pub longest: Option<LongestRequest>,
    /// Requests that were not completed at the end.
    pub in_flight: InFlight,
}

/// Stalls whose task waited for requests.
#[derive(Clone, Debug, Default)]
pub struct WaitedFor {
    /// How many there were.
    pub stalls: u64,
    /// Nanoseconds that they waited, by what the requests were waiting for in that time.
    pub phases: BTreeMap<Phase, u64>,
}

/// One device.
pub type NbdDevice = BTreeMap<Direction, NbdRequests>;

/// The `nbd` ledger.
#[derive(Clone, Debug)]
pub struct Nbd {
    /// Whether requests are followed.
    pub state: State,
    /// Whether the wait for a connection is seen.
    pub lock: State,
    /// By device, as `nbdN`.
    pub devices: BTreeMap<String, NbdDevice>,
    /// Stalls that waited for requests of any device.
    pub stalls: WaitedFor,
    /// Requests of devices for which there was no room.
    pub others: u64,
}

fn phases(rows: &mut Rows, prefix: &str, suffix: &str) -> Result<BTreeMap<Phase, u64>> {
    let number = |phase: &Phase| Ok((*phase, rows.number(&format!("{prefix}.{}{suffix}", phase.key()))?));
    Phase::ALL.iter().map(number).collect()
}

fn requests(rows: &mut Rows, row: &str) -> Result<NbdRequests> {
    let longest = LongestRequest {
        ns: rows.number(&format!("{row}.longest.ns"))?,
        bytes: rows.number(&format!("{row}.longest.bytes"))?,
        phases_ns: phases(rows, &format!("{row}.longest.phase"), ".ns")?,
    };
    Ok(NbdRequests {
        requests: rows.number(&format!("{row}.requests"))?,
        bytes: rows.number(&format!("{row}.bytes"))?,
        errors: rows.number(&format!("{row}.errors"))?,
        requeues: rows.number(&format!("{row}.requeues"))?,
        phases: phases(rows, &format!("{row}.phase"), ".ns")?,
        hist: sparse(rows, &format!("{row}.hist.us."))?,
        longest: Some(longest).filter(|longest| longest.ns > 0),
        in_flight: InFlight {
            requests: rows.number(&format!("{row}.inflight"))?,
            oldest_ns: rows.number(&format!("{row}.inflight.oldest.ns"))?,
            phases: phases(rows, &format!("{row}.inflight.phase"), "")?,
        },
    })
}

impl Nbd {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = State::parse(rows)?;
        let lock = State::parse_row(rows, "lock")?;
        let names: BTreeSet<String> =
            rows.keys("device.").filter_map(|rest| rest.split('.').next()).map(str::to_owned).collect();
        let mut devices = BTreeMap::new();
        for name in names {
            let mut device = NbdDevice::new();
            for &direction in Direction::ALL {
                device.insert(direction, requests(rows, &format!("device.{name}.{}", direction.key()))?);
            }
            devices.insert(name, device);
        }
        let stalls = WaitedFor { stalls: rows.number("stalls.stalls")?, phases: phases(rows, "stalls.phase", ".ns")? };
        Ok(Self { state, lock, devices, stalls, others: rows.number("others.requests")? })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (name, device) in &mut self.devices {
            for (direction, now) in device {
                let old = before.devices.get(name).and_then(|d| d.get(direction)).cloned().unwrap_or_default();
                let row = |what: &str| format!("device.{name}.{}.{what}", direction.key());
                now.requests = grown(&row("requests"), now.requests, old.requests)?;
                now.bytes = grown(&row("bytes"), now.bytes, old.bytes)?;
                now.errors = grown(&row("errors"), now.errors, old.errors)?;
                now.requeues = grown(&row("requeues"), now.requeues, old.requeues)?;
                for (phase, ns) in &mut now.phases {
                    let old = old.phases.get(phase).copied().unwrap_or(0);
                    *ns = grown(&row(&format!("phase.{}.ns", phase.key())), *ns, old)?;
                }
                for (low, n) in &mut now.hist {
                    *n = grown(&row("hist.us"), *n, old.hist.get(low).copied().unwrap_or(0))?;
                }
                // If there was a longer request before the interval, the longest of the interval is not known.
                let longest_before = old.longest.map_or(0, |longest| longest.ns);
                now.longest = now.longest.take().filter(|longest| longest.ns > longest_before);
            }
        }
        self.stalls.stalls = grown("stalls.stalls", self.stalls.stalls, before.stalls.stalls)?;
        for (phase, ns) in &mut self.stalls.phases {
            let old = before.stalls.phases.get(phase).copied().unwrap_or(0);
            *ns = grown(&format!("stalls.phase.{}.ns", phase.key()), *ns, old)?;
        }
        self.others = grown("others.requests", self.others, before.others)?;
        Ok(self)
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Where the time of requests of NBD devices goes.

use super::{Bounds, Family, Samples, Value};
use crate::ledger::{GroupState, Ledgers, NbdRequests, total};

/// Adds the samples of `nbd`, if it is on.
pub fn add(samples: &mut Samples, ledgers: &Ledgers) {
    let Some(ledger) = ledgers.nbd.as_ref().ok().filter(|ledger| ledger.state == GroupState::On) else { return };
    for (device, directions) in &ledger.devices {
        for (direction, of) in directions {
            requests(samples, [device, direction.key()], of);
        }
    }
    samples.number(Family::NbdStalls, &[], ledger.stalls.stalls);
    for (phase, ns) in &ledger.stalls.phases {
        samples.add(Family::NbdStallPhases, &[phase.key()], Value::Nanos(*ns));
    }
}

fn requests(samples: &mut Samples, labels: [&str; 2], of: &NbdRequests) {
    let ns = total(of.phases.values().copied());
    samples.histogram(Family::NbdRequests, &labels, &Bounds::seconds(), &of.hist, Value::Nanos(ns));
    samples.number(Family::NbdBytes, &labels, of.bytes);
    samples.number(Family::NbdErrors, &labels, of.errors);
    samples.number(Family::NbdRequeues, &labels, of.requeues);
    let [device, direction] = labels;
    for (phase, ns) in &of.phases {
        samples.add(Family::NbdPhases, &[device, direction, phase.key()], Value::Nanos(*ns));
    }
    for (phase, n) in &of.in_flight.phases {
        samples.number(Family::NbdInflight, &[device, direction, phase.key()], *n);
    }
    samples.add(Family::NbdOldest, &labels, Value::Nanos(of.in_flight.oldest_ns));
    if let Some(longest) = &of.longest {
        samples.add(Family::NbdLongest, &labels, Value::Nanos(longest.ns));
    }
}

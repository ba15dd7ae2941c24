// SPDX-License-Identifier: GPL-2.0
//! The helper's two halves: write-around and handoff.

use super::{Bounds, Family, Samples, Value};
use crate::{
    ledger::{Handoff, HandoffDevice, Helper, HelperState, Ledgers},
    names::Policy,
};

/// Adds the samples of `helper` and `handoff`, if the kernel supports them.
pub fn add(samples: &mut Samples, ledgers: &Ledgers) {
    if let Some(ledger) = ledgers.helper.as_ref().ok().filter(|ledger| ledger.state != HelperState::Unavailable) {
        around(samples, ledger);
    }
    if let Some(ledger) = ledgers.handoff.as_ref().ok().filter(|ledger| ledger.state != HelperState::Unavailable) {
        handoff(samples, ledger);
    }
}

fn around(samples: &mut Samples, ledger: &Helper) {
    let counters = &ledger.counters;
    for (family, n) in [
        (Family::AroundMetFolios, counters.met.folios),
        (Family::AroundMetPages, counters.met.pages),
        (Family::AroundMerged, counters.merged_folios),
        (Family::AroundQueued, counters.queued.folios),
        (Family::AroundWritten, counters.written_folios),
        (Family::AroundPending, ledger.pending),
        (Family::AroundRanges, counters.ranges),
        (Family::AroundErrors, counters.errors),
        (Family::AroundWindows, counters.windows),
        (Family::AroundBios, counters.bios),
        (Family::AroundBioPages, counters.bio_pages),
        (Family::AroundWatched, counters.freed_watched),
        (Family::AroundFreed, counters.freed_within_1s),
        (Family::AroundWaits, counters.waits),
    ] {
        samples.number(family, &[], n);
    }
    for (what, pages) in [("target", counters.target_pages), ("other", counters.other_pages)] {
        samples.number(Family::AroundPages, &[what], pages);
    }
    for (reason, folios) in &ledger.hook_skips {
        samples.number(Family::AroundNotQueued, &[reason.key()], *folios);
    }
    for (reason, folios) in &ledger.worker_skips {
        samples.number(Family::AroundNotWritten, &[reason.key()], *folios);
    }
    let sum = Value::micros(counters.clean_us);
    samples.histogram(Family::AroundClean, &[], &Bounds::seconds(), &ledger.clean_us, sum);
    for (name, device) in &ledger.devices {
        samples.number(Family::AroundDeviceInflight, &[name], device.inflight_pages);
        samples.number(Family::AroundDeviceBudget, &[name], device.budget_pages);
        samples.number(Family::AroundDevicePending, &[name], device.pending);
        samples.add(Family::AroundDeviceStuck, &[name], Value::flag(device.stuck));
    }
    for (node, ns) in ledger.ns_per_page.iter().filter(|(_, ns)| **ns > 0) {
        samples.add(Family::AroundPageTime, &[&node.to_string()], Value::Nanos(*ns));
    }
}

fn handoff(samples: &mut Samples, ledger: &Handoff) {
    for &policy in Policy::ALL {
        samples.add(Family::HandoffPolicy, &[policy.key()], Value::flag(policy == ledger.policy));
    }
    for (origin, of) in &ledger.origins {
        let origin = origin.key();
        samples.number(Family::HandedRequests, &[origin], of.taken.requests);
        samples.number(Family::HandedPages, &[origin], of.taken.pages);
        if of.waits > 0 {
            let sum = Value::micros(of.waits_us);
            samples.histogram(Family::HandoffWaits, &[origin], &Bounds::seconds(), &of.waits_hist, sum);
        }
        samples.number(Family::Throttled, &[origin], of.throttled);
        samples.add(Family::ThrottledTime, &[origin], Value::micros(of.throttled_us));
        for (reason, requests) in &of.refused {
            samples.number(Family::HandoffRefused, &[origin, reason.key()], *requests);
        }
    }
    let counters = &ledger.counters;
    for (family, n) in [
        (Family::HandoffWrittenRequests, counters.written.requests),
        (Family::HandoffWrittenPages, counters.written.pages),
        (Family::HandoffPending, ledger.pending),
        (Family::HandoffBatches, counters.batches),
        (Family::HandoffWakeups, counters.wakeups),
        (Family::HandoffRequestPages, counters.request_pages),
        (Family::HandoffRequestErrors, counters.request_errors),
    ] {
        samples.number(family, &[], n);
    }
    let bounds = Bounds::seconds();
    for (family, hist, us) in [
        (Family::HandoffQueued, &ledger.queued_us, counters.queued_us),
        (Family::HandoffRequests, &ledger.request_us, counters.request_us),
    ] {
        samples.histogram(family, &[], &bounds, hist, Value::micros(us));
    }
    for (name, of) in &ledger.devices {
        device(samples, name, of);
    }
}

fn device(samples: &mut Samples, name: &str, device: &HandoffDevice) {
    for (family, n) in [
        (Family::HandoffDevicePending, Some(device.pending)),
        (Family::HandoffDeviceInside, Some(device.inside_pages)),
        (Family::HandoffDeviceInflight, Some(device.inflight_pages)),
        (Family::HandoffDeviceLimit, Some(device.limit_pages)),
        (Family::HandoffDeviceReserve, device.reserve_pages),
        (Family::HandoffDeviceRate, device.pages_per_s),
        (Family::HandoffDeviceWaiting, Some(device.waiting)),
    ] {
        if let Some(n) = n {
            samples.number(family, &[name], n);
        }
    }
    if let Some(ns) = device.request_ns {
        samples.add(Family::HandoffDeviceRequest, &[name], Value::Nanos(ns));
    }
    samples.add(Family::HandoffDeviceLate, &[name], Value::flag(device.late));
}

// SPDX-License-Identifier: GPL-2.0
//! What became of the swap-out requests that reclaim prepared, and what the writers did with those that they were
//! given.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Section, WritesSection,
    figures::{RequestBook, Times, filled, mean, request_book},
};
use crate::{
    ledger::{Handoff, HandoffDevice, HandoffOrigin, HelperState, Log2, total},
    names::{Origin, Policy, Refused},
};

/// What one origin handed over.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HandoffRow {
    /// The origin.
    pub origin: Origin,
    /// Requests that were handed to a writer.
    pub handed_requests: u64,
    /// Pages in them.
    pub handed_pages: u64,
    /// Requests that it had to submit itself, by reason.
    pub refused: BTreeMap<Refused, u64>,
    /// Pages that it wrote to a device itself nevertheless; absent if writes are not recorded.
    pub own_pages: Option<u64>,
    /// The share of `own_pages` in the sum of these and the pages that were handed over, 0 to 1; absent if the sum is
    /// 0, or if writes are not recorded.
    pub own_share: Option<f64>,
    /// How often it waited for room after it had handed over a request, and how long.
    pub waits: Times,
    /// Microseconds of these waits, all together.
    pub waits_us: u64,
    /// How often it waited for writeback, by the writers or by others.
    pub throttled: u64,
    /// Microseconds of these waits for writeback.
    pub throttled_us: u64,
}

impl HandoffRow {
    /// Requests that it had to submit itself.
    pub fn left(&self) -> u64 {
        total(self.refused.values().copied())
    }

    /// Requests that it prepared.
    pub fn prepared(&self) -> u64 {
        self.left().saturating_add(self.handed_requests)
    }
}

/// One swap device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SwapDeviceRow {
    /// Its major and minor number, or the name of the swap file's kind.
    pub device: String,
    /// Requests handed over for it.
    pub handed_requests: u64,
    /// How many of these requests its writer submitted.
    pub written_requests: u64,
    /// Requests handed over and not yet submitted, at the end.
    pub pending_requests: u64,
    /// Pages that were handed over and are not completed, at the end.
    pub inside_pages: u64,
    /// How many of these pages were submitted.
    pub inflight_pages: u64,
    /// Pages that may be submitted at once, at the end.
    pub limit_pages: u64,
    /// Pages that the memory reserves allow to be submitted at once, at the end; absent if they set no limit.
    pub reserve_pages: Option<u64>,
    /// Pages that it took in a second recently; absent if this is not known.
    pub pages_per_s: Option<u64>,
    /// The shortest time that a request took recently, in nanoseconds; absent if this is not known.
    pub request_ns: Option<u64>,
    /// Tasks that wait for room, at the end.
    pub waiting: u64,
    /// Whether it completes nothing of what it was given, at the end.
    pub late: bool,
    /// Whether its counters were reset in the interval, so that some requests may be missing.
    pub restarted: bool,
}

/// The work of the writers, and what handed it to them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HandoffSection {
    /// Whether it is on, at the end.
    pub state: HelperState,
    /// The policy at the end: when requests are handed over.
    pub policy: Policy,
    /// Requests that were handed to a writer.
    pub handed_requests: u64,
    /// Pages in them.
    pub handed_pages: u64,
    /// One row per origin, in the ledgers' order.
    pub origins: Vec<HandoffRow>,
    /// How often reclaim waited for room after it had handed over a request, and how long.
    pub waits: Times,
    /// Microseconds of these waits, all together.
    pub waits_us: u64,
    /// Requests that the writers submitted.
    pub written_requests: u64,
    /// Pages in them.
    pub written_pages: u64,
    /// Requests handed over and not yet submitted, at the end.
    pub pending_requests: u64,
    /// The same when the counting began; 0 without `--since`.
    pub pending_requests_before: u64,
    /// The time from the handoff of a request to its submission.
    pub queued: Times,
    /// Batches submitted.
    pub batches: u64,
    /// Pages submitted in a batch, on average; absent if there was none.
    pub pages_per_batch: Option<f64>,
    /// Batches by lower bound of pages: 0, 1, 2, 4, ...
    pub batch_histogram: Log2,
    /// The requests of the writers that are completed, and the time from submission to completion.
    pub requests: Times,
    /// Pages in them.
    pub request_pages: u64,
    /// Pages in a request, on average; absent if there was none.
    pub pages_per_request: Option<f64>,
    /// How many of these requests failed.
    pub request_errors: u64,
    /// How often a writer woke.
    pub wakeups: u64,
    /// By device.
    pub devices: Vec<SwapDeviceRow>,
    /// The sums that must come out even.
    pub books: Vec<RequestBook>,
}

impl HandoffSection {
    /// What an origin handed off.
    pub fn of(&self, origin: Origin) -> Option<&HandoffRow> {
        self.origins.iter().find(|row| row.origin == origin)
    }
}

pub(super) fn section(ledger: &Handoff, writes: Option<&WritesSection>) -> Section<HandoffSection> {
    if ledger.state == HelperState::Unavailable {
        return Section::unavailable("this kernel does not let others submit what reclaim swaps out (patch 2)");
    }
    let n = &ledger.counters;
    let handed = total(ledger.origins.values().map(|origin| origin.taken.requests));
    let waits_us = total(ledger.origins.values().map(|origin| origin.waits_us));
    Section::Available(HandoffSection {
        state: ledger.state,
        policy: ledger.policy,
        handed_requests: handed,
        handed_pages: total(ledger.origins.values().map(|origin| origin.taken.pages)),
        origins: ledger.origins.iter().map(|(&origin, asked)| origin_row(origin, asked, writes)).collect(),
        waits: Times::new(
            total(ledger.origins.values().map(|origin| origin.waits)),
            waits_us,
            &together(ledger.origins.values().map(|origin| &origin.waits_hist)),
        ),
        waits_us,
        written_requests: n.written.requests,
        written_pages: n.written.pages,
        pending_requests: ledger.pending,
        pending_requests_before: ledger.pending_before,
        queued: Times::new(n.written.requests, n.queued_us, &ledger.queued_us),
        batches: n.batches,
        pages_per_batch: mean(n.written.pages, n.batches),
        batch_histogram: filled(&ledger.batch_pages),
        requests: Times::new(n.requests, n.request_us, &ledger.request_us),
        request_pages: n.request_pages,
        pages_per_request: mean(n.request_pages, n.requests),
        request_errors: n.request_errors,
        wakeups: n.wakeups,
        devices: ledger.devices.iter().map(|(name, device)| device_row(name, device)).collect(),
        // Requests that were handed over before the interval are submitted in it.
        books: vec![request_book(
            "handed over: written, or pending",
            handed.saturating_add(ledger.pending_before),
            n.written.requests.saturating_add(ledger.pending),
        )],
    })
}

/// The sum of histograms.
fn together<'a>(all: impl Iterator<Item = &'a Log2>) -> Log2 {
    let mut sum = Log2::new();
    for (low, n) in all.flatten() {
        let bucket = sum.entry(*low).or_default();
        *bucket = bucket.saturating_add(*n);
    }
    sum
}

fn origin_row(origin: Origin, asked: &HandoffOrigin, writes: Option<&WritesSection>) -> HandoffRow {
    // Pages that needed no device are in no request.
    let own_pages = writes.map(|writes| {
        let row = writes.origins.iter().find(|row| row.origin == origin);
        row.map_or(0, |row| row.to_device().saturating_sub(row.handed_pages))
    });
    HandoffRow {
        origin,
        handed_requests: asked.taken.requests,
        handed_pages: asked.taken.pages,
        refused: asked.refused.clone(),
        own_pages,
        own_share: own_pages.and_then(|pages| mean(pages, pages.saturating_add(asked.taken.pages))),
        waits: Times::new(asked.waits, asked.waits_us, &asked.waits_hist),
        waits_us: asked.waits_us,
        throttled: asked.throttled,
        throttled_us: asked.throttled_us,
    }
}

fn device_row(name: &str, device: &HandoffDevice) -> SwapDeviceRow {
    SwapDeviceRow {
        device: name.to_owned(),
        handed_requests: device.taken,
        written_requests: device.written,
        pending_requests: device.pending,
        inside_pages: device.inside_pages,
        inflight_pages: device.inflight_pages,
        limit_pages: device.limit_pages,
        reserve_pages: device.reserve_pages,
        pages_per_s: device.pages_per_s,
        request_ns: device.request_ns,
        waiting: device.waiting,
        late: device.late,
        restarted: device.restarted,
    }
}

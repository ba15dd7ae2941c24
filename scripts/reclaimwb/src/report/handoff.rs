// SPDX-License-Identifier: GPL-2.0
//! What became of the folios that reclaim would have swapped out itself, and what the writers made of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Section, WritesSection,
    figures::{FolioBook, Times, book, filled, mean},
};
use crate::{
    ledger::{Handoff, HandoffDevice, HelperState, Log2, total},
    names::{Later, Origin, Policy, Refused, WriterSkip},
};

/// What one origin handed off.
#[derive(Debug, Serialize)]
pub struct HandoffRow {
    /// The origin.
    pub origin: Origin,
    /// Folios handed to a writer.
    pub handed_folios: u64,
    /// Pages in them.
    pub handed_pages: u64,
    /// Folios left for a later round of reclaim, each time, by reason.
    pub later: BTreeMap<Later, u64>,
    /// Folios that it had to deal with itself, by reason.
    pub refused: BTreeMap<Refused, u64>,
    /// Pages that it wrote itself all the same; absent if writes are not recorded.
    pub own_pages: Option<u64>,
    /// Their share of those and of what was handed over, 0 to 1; absent if there are none, or if writes are not
    /// recorded.
    pub own_share: Option<f64>,
    /// Times it was told that waiting is worth it.
    pub waits: u64,
    /// Times it waited for writeback, for the writers or for others.
    pub throttled: u64,
    /// Microseconds of that.
    pub throttled_us: u64,
}

impl HandoffRow {
    /// Folios that it would have written, counted each time it met them.
    pub fn met(&self) -> u64 {
        total(self.later.values().chain(self.refused.values()).copied()).saturating_add(self.handed_folios)
    }
}

/// One swap device.
#[derive(Debug, Serialize)]
pub struct SwapDeviceRow {
    /// Its major and minor number, or the name of the swap file's kind.
    pub device: String,
    /// Folios handed over for it.
    pub handed_folios: u64,
    /// Of these, folios written.
    pub written_folios: u64,
    /// Folios handed over and not yet decided, at the end.
    pub pending_folios: u64,
    /// Pages that may wait for the writer, at the end.
    pub room_pages: u64,
    /// Pages in flight, at the end.
    pub inflight_pages: u64,
    /// Pages that may be, at the end.
    pub limit_pages: u64,
    /// Pages that may be as far as the memory reserves go, at the end; absent: they set no limit.
    pub reserve_pages: Option<u64>,
    /// Pages a second that it took of late; absent: not known.
    pub pages_per_s: Option<u64>,
    /// The least that a request took of late, in nanoseconds; absent: not known.
    pub request_ns: Option<u64>,
    /// Whether it does not answer, at the end.
    pub stuck: bool,
    /// Whether its counters began anew in the interval, so that some of it may be missing.
    pub restarted: bool,
}

/// The writers' work, and who handed it to them.
#[derive(Debug, Serialize)]
pub struct HandoffSection {
    /// Whether it is on, at the end.
    pub state: HelperState,
    /// When it hands off, at the end.
    pub policy: Policy,
    /// Folios handed to a writer.
    pub handed_folios: u64,
    /// Pages in them.
    pub handed_pages: u64,
    /// One row per origin, in the ledgers' order.
    pub origins: Vec<HandoffRow>,
    /// Folios that the writers wrote.
    pub written_folios: u64,
    /// Pages in them.
    pub written_pages: u64,
    /// Folios handed over that were not written, by reason.
    pub not_written: BTreeMap<WriterSkip, u64>,
    /// Folios handed over and not yet decided, at the end.
    pub pending_folios: u64,
    /// The same when the counting began; 0 without `--since`.
    pub pending_folios_before: u64,
    /// The time from handed over to written or not.
    pub queued: Times,
    /// Batches submitted.
    pub batches: u64,
    /// Pages of requests done, per batch; absent if there was none.
    pub pages_per_batch: Option<f64>,
    /// Batches by lower bound of pages: 0, 1, 2, 4, ...
    pub batch_histogram: Log2,
    /// The writers' requests that are done, and the time from submitted to done.
    pub requests: Times,
    /// Pages in them.
    pub request_pages: u64,
    /// Pages per request; absent if there was none.
    pub pages_per_request: Option<f64>,
    /// Of the requests, how many failed.
    pub request_errors: u64,
    /// Times that a writer woke.
    pub wakeups: u64,
    /// By device.
    pub devices: Vec<SwapDeviceRow>,
    /// What must come out even.
    pub books: Vec<FolioBook>,
}

impl HandoffSection {
    /// What an origin handed off.
    pub fn of(&self, origin: Origin) -> Option<&HandoffRow> {
        self.origins.iter().find(|row| row.origin == origin)
    }
}

pub(super) fn section(ledger: &Handoff, writes: Option<&WritesSection>) -> Section<HandoffSection> {
    if ledger.state == HelperState::Unavailable {
        return Section::unavailable("this kernel does not let others write what reclaim swaps out (patch 2)");
    }
    let n = &ledger.counters;
    let given_up = total(ledger.skips.values().copied());
    let decided = n.written.folios.saturating_add(given_up);
    let handed = total(ledger.origins.values().map(|origin| origin.taken.folios));
    Section::Available(HandoffSection {
        state: ledger.state,
        policy: ledger.policy,
        handed_folios: handed,
        handed_pages: total(ledger.origins.values().map(|origin| origin.taken.pages)),
        origins: origins(ledger, writes),
        written_folios: n.written.folios,
        written_pages: n.written.pages,
        not_written: ledger.skips.clone(),
        pending_folios: ledger.pending,
        pending_folios_before: ledger.pending_before,
        queued: Times::new(decided, n.queued_us, &ledger.queued_us),
        batches: n.batches,
        pages_per_batch: mean(n.request_pages, n.batches),
        batch_histogram: filled(&ledger.batch_pages),
        requests: Times::new(n.requests, n.request_us, &ledger.request_us),
        request_pages: n.request_pages,
        pages_per_request: mean(n.request_pages, n.requests),
        request_errors: n.request_errors,
        wakeups: n.wakeups,
        devices: ledger.devices.iter().map(|(name, device)| device_row(name, device)).collect(),
        // What was handed over before the interval is decided in it.
        books: vec![book(
            "handed over: written, not written, or pending",
            handed.saturating_add(ledger.pending_before),
            decided.saturating_add(ledger.pending),
        )],
    })
}

fn origins(ledger: &Handoff, writes: Option<&WritesSection>) -> Vec<HandoffRow> {
    let own = |origin| Some(writes?.origins.iter().find(|row| row.origin == origin).map_or(0, |row| row.pages));
    let rows = ledger.origins.iter().map(|(&origin, asked)| {
        let own_pages = own(origin);
        HandoffRow {
            origin,
            handed_folios: asked.taken.folios,
            handed_pages: asked.taken.pages,
            later: asked.later.clone(),
            refused: asked.refused.clone(),
            own_pages,
            own_share: own_pages.and_then(|pages| mean(pages, pages.saturating_add(asked.taken.pages))),
            waits: asked.waits,
            throttled: asked.throttled,
            throttled_us: asked.throttled_us,
        }
    });
    rows.collect()
}

fn device_row(name: &str, device: &HandoffDevice) -> SwapDeviceRow {
    SwapDeviceRow {
        device: name.to_owned(),
        handed_folios: device.taken,
        written_folios: device.written,
        pending_folios: device.pending,
        room_pages: device.room_pages,
        inflight_pages: device.inflight_pages,
        limit_pages: device.limit_pages,
        reserve_pages: device.reserve_pages,
        pages_per_s: device.pages_per_s,
        request_ns: device.request_ns,
        stuck: device.stuck,
        restarted: device.restarted,
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What became of the dirty file folios that reclaim met, and whether writing them helped.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Section,
    figures::{FolioBook, book, filled, mean, percentile},
};
use crate::{
    ledger::{Helper, HelperState, Log2, total},
    names::{HookSkip, WorkerSkip},
};

/// The time from when reclaim met a folio to when it was clean.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CleanTimes {
    /// Targets that came out of writeback.
    pub targets: u64,
    /// The mean, in microseconds; absent if there were none.
    pub mean_us: Option<f64>,
    /// Half of the targets took less, in microseconds; absent if there were none, or if it is beyond the end of the
    /// histogram.
    pub p50_below_us: Option<u64>,
    /// The same for 99 out of 100.
    pub p99_below_us: Option<u64>,
    /// Targets by their lower bound in microseconds: 0, 1, 2, 4, ...
    pub histogram: Log2,
}

/// What became of the pages of targets that were cleaned.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Freed {
    /// Targets that were looked at a second after they were clean.
    pub watched: u64,
    /// How many of these had been freed by then.
    pub within_1s: u64,
    /// `within_1s` as a share, 0 to 1; absent if none was looked at.
    pub share: Option<f64>,
    /// Targets that could not be watched because there was no room.
    pub unwatched: u64,
}

/// One device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceRow {
    /// The name of its backing device.
    pub device: String,
    /// Targets queued.
    pub queued_folios: u64,
    /// Targets written.
    pub written_folios: u64,
    /// Windows written.
    pub windows: u64,
    /// Targets queued and not yet decided, at the end.
    pub pending_folios: u64,
    /// Pages under writeback through the helper, at the end.
    pub inflight_pages: u64,
    /// Pages that may be under writeback through the helper, at the end.
    pub budget_pages: u64,
    /// Whether the device does not answer, at the end.
    pub stuck: bool,
    /// Whether its counters were reset in the interval, so that some folios may be missing.
    pub restarted: bool,
}

/// The helper's work.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WriteAroundSection {
    /// Whether it is on, at the end.
    pub state: HelperState,
    /// Dirty file folios that reclaim met.
    pub met_folios: u64,
    /// Pages in them.
    pub met_pages: u64,
    /// Folios met again while still queued.
    pub merged_folios: u64,
    /// Folios that were refused when reclaim met them, by reason.
    pub not_queued: BTreeMap<HookSkip, u64>,
    /// Folios queued: the targets.
    pub queued_folios: u64,
    /// Pages in them.
    pub queued_pages: u64,
    /// Targets whose window was written.
    pub written_folios: u64,
    /// Targets not written, by reason.
    pub not_written: BTreeMap<WorkerSkip, u64>,
    /// Targets queued and not yet decided, at the end.
    pub pending_folios: u64,
    /// The same when the counting began; 0 without `--since`.
    pub pending_folios_before: u64,
    /// Windows written.
    pub windows: u64,
    /// Calls that wrote them.
    pub ranges: u64,
    /// How many of these calls returned an error.
    pub errors: u64,
    /// Pages written that were targets.
    pub target_pages: u64,
    /// Pages that were written around the targets.
    pub other_pages: u64,
    /// Pages written in a window, on average; absent if there was none.
    pub pages_per_window: Option<f64>,
    /// Windows by lower bound of pages written: 0, 1, 2, 4, ...
    pub window_histogram: Log2,
    /// Bios that the workers submitted.
    pub bios: u64,
    /// Pages in them.
    pub bio_pages: u64,
    /// Pages in a bio, on average; absent if there was none.
    pub pages_per_bio: Option<f64>,
    /// The time from when reclaim met a folio to when it was clean.
    pub clean: CleanTimes,
    /// What became of the pages that were cleaned.
    pub freed: Freed,
    /// How often reclaim was told that waiting is worth it.
    pub waits: u64,
    /// How long it recently took to write a page of a node, in nanoseconds, by node; 0 if this is not known.
    pub ns_per_page: BTreeMap<u64, u64>,
    /// By device.
    pub devices: Vec<DeviceRow>,
    /// The sums that must come out even.
    pub books: Vec<FolioBook>,
}

pub(super) fn section(ledger: &Helper) -> Section<WriteAroundSection> {
    if ledger.state == HelperState::Unavailable {
        return Section::unavailable("this kernel does not report the dirty file folios that reclaim meets (patch 1)");
    }
    let n = &ledger.counters;
    Section::Available(WriteAroundSection {
        state: ledger.state,
        met_folios: n.met.folios,
        met_pages: n.met.pages,
        merged_folios: n.merged_folios,
        not_queued: ledger.hook_skips.clone(),
        queued_folios: n.queued.folios,
        queued_pages: n.queued.pages,
        written_folios: n.written_folios,
        not_written: ledger.worker_skips.clone(),
        pending_folios: ledger.pending,
        pending_folios_before: ledger.pending_before,
        windows: n.windows,
        ranges: n.ranges,
        errors: n.errors,
        target_pages: n.target_pages,
        other_pages: n.other_pages,
        pages_per_window: mean(n.target_pages.saturating_add(n.other_pages), n.windows),
        window_histogram: filled(&ledger.window_pages),
        bios: n.bios,
        bio_pages: n.bio_pages,
        pages_per_bio: mean(n.bio_pages, n.bios),
        clean: CleanTimes {
            targets: n.cleaned,
            mean_us: mean(n.clean_us, n.cleaned),
            p50_below_us: percentile(&ledger.clean_us, 50),
            p99_below_us: percentile(&ledger.clean_us, 99),
            histogram: filled(&ledger.clean_us),
        },
        freed: Freed {
            watched: n.freed_watched,
            within_1s: n.freed_within_1s,
            share: mean(n.freed_within_1s, n.freed_watched),
            unwatched: n.freed_unwatched,
        },
        waits: n.waits,
        ns_per_page: ledger.ns_per_page.clone(),
        devices: devices(ledger),
        books: books(ledger),
    })
}

fn devices(ledger: &Helper) -> Vec<DeviceRow> {
    let row = |(name, device): (&String, &crate::ledger::HelperDevice)| DeviceRow {
        device: name.clone(),
        queued_folios: device.queued,
        written_folios: device.written,
        windows: device.windows,
        pending_folios: device.pending,
        inflight_pages: device.inflight_pages,
        budget_pages: device.budget_pages,
        stuck: device.stuck,
        restarted: device.restarted,
    };
    ledger.devices.iter().map(row).collect()
}

fn books(ledger: &Helper) -> Vec<FolioBook> {
    let n = &ledger.counters;
    let refused = total(ledger.hook_skips.values().copied());
    let given_up = total(ledger.worker_skips.values().copied());
    vec![
        book("met: queued, met again, or not queued", n.met.folios, total([n.merged_folios, n.queued.folios, refused])),
        // Folios that were queued before the interval are decided in it.
        book(
            "queued: written, not written, or pending",
            n.queued.folios.saturating_add(ledger.pending_before),
            total([n.written_folios, given_up, ledger.pending]),
        ),
    ]
}

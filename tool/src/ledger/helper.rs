// SPDX-License-Identifier: GPL-2.0
//! `helper`: what became of the dirty file folios that reclaim met.

use std::collections::BTreeMap;

use super::{
    Cell,
    half::{HelperState, Log2, devices, flag, histogram, skip_row, skips, subtract},
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{HookSkip, WorkerSkip},
};

/// Counters, which only grow while the module stays loaded.
#[derive(Clone, Debug, Default)]
pub struct HelperCounters {
    /// Dirty file folios that reclaim met.
    pub met: Cell,
    /// Folios met again while still queued.
    pub merged_folios: u64,
    /// Folios queued.
    pub queued: Cell,
    /// Targets whose window was written.
    pub written_folios: u64,
    /// Windows written.
    pub windows: u64,
    /// Calls that wrote a range of a window.
    pub ranges: u64,
    /// How many of these calls returned an error.
    pub errors: u64,
    /// Pages written that were targets.
    pub target_pages: u64,
    /// Pages that were written around the targets.
    pub other_pages: u64,
    /// Bios that the workers submitted.
    pub bios: u64,
    /// Pages in them.
    pub bio_pages: u64,
    /// Targets that came out of writeback.
    pub cleaned: u64,
    /// Microseconds from when reclaim met a target to when it was clean, summed over these targets.
    pub clean_us: u64,
    /// Cleaned targets that were looked at again a second later.
    pub freed_watched: u64,
    /// How many of these had been freed by then.
    pub freed_within_1s: u64,
    /// Cleaned targets that could not be watched because there was no room.
    pub freed_unwatched: u64,
    /// How often reclaim was told that waiting is worth it.
    pub waits: u64,
}

impl HelperCounters {
    fn rows(&mut self) -> [(&'static str, &mut u64); 19] {
        [
            ("met.folios", &mut self.met.folios),
            ("met.pages", &mut self.met.pages),
            ("merged.folios", &mut self.merged_folios),
            ("queued.folios", &mut self.queued.folios),
            ("queued.pages", &mut self.queued.pages),
            ("written.folios", &mut self.written_folios),
            ("windows", &mut self.windows),
            ("ranges", &mut self.ranges),
            ("errors", &mut self.errors),
            ("written.pages.targets", &mut self.target_pages),
            ("written.pages.others", &mut self.other_pages),
            ("bios", &mut self.bios),
            ("bio.pages", &mut self.bio_pages),
            ("clean.targets", &mut self.cleaned),
            ("clean.us.sum", &mut self.clean_us),
            ("freed.watched", &mut self.freed_watched),
            ("freed.within_1s", &mut self.freed_within_1s),
            ("freed.unwatched", &mut self.freed_unwatched),
            ("waits", &mut self.waits),
        ]
    }
}

/// One device that is written to.
#[derive(Clone, Debug, Default)]
pub struct HelperDevice {
    /// Targets queued.
    pub queued: u64,
    /// Targets written.
    pub written: u64,
    /// Windows written.
    pub windows: u64,
    /// Targets queued and not yet decided, now.
    pub pending: u64,
    /// Pages under writeback through the helper, now.
    pub inflight_pages: u64,
    /// Pages that may be under writeback through the helper, now.
    pub budget_pages: u64,
    /// Whether the device does not answer, now.
    pub stuck: bool,
    /// Whether `queued`, `written` and `windows` were reset in the interval that is reported.
    pub restarted: bool,
}

const DEVICE_ROWS: [&str; 7] = ["queued", "written", "windows", "pending", "inflight_pages", "budget_pages", "stuck"];

/// The `helper` ledger.
#[derive(Clone, Debug)]
pub struct Helper {
    /// Whether it is on, now.
    pub state: HelperState,
    /// Its counters.
    pub counters: HelperCounters,
    /// Folios that were refused when reclaim met them.
    pub hook_skips: BTreeMap<HookSkip, u64>,
    /// Queued targets that were not written.
    pub worker_skips: BTreeMap<WorkerSkip, u64>,
    /// Windows by pages written.
    pub window_pages: Log2,
    /// Cleaned targets by the microseconds from when reclaim met them to when they were clean.
    pub clean_us: Log2,
    /// Targets queued and not yet decided, now.
    pub pending: u64,
    /// The same when the interval that is reported began.
    pub pending_before: u64,
    /// By device.
    pub devices: BTreeMap<String, HelperDevice>,
    /// How long it takes to write a page of a node, in nanoseconds, by node, now; 0 if this is not known.
    pub ns_per_page: BTreeMap<u64, u64>,
}

impl Helper {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = HelperState::parse(rows)?;
        let mut counters = HelperCounters::default();
        for (key, counter) in counters.rows() {
            *counter = rows.number(key)?;
        }
        Ok(Self {
            state,
            counters,
            hook_skips: skips(rows, HookSkip::ALL, HookSkip::key)?,
            worker_skips: skips(rows, WorkerSkip::ALL, WorkerSkip::key)?,
            window_pages: histogram(rows, "window.pages.hist.")?,
            clean_us: histogram(rows, "clean.us.hist.")?,
            pending: rows.number("pending.folios")?,
            pending_before: 0,
            devices: devices(rows, &DEVICE_ROWS, parse_device)?,
            ns_per_page: pace(rows)?,
        })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        let mut old = before.counters.clone();
        for ((key, now), (_, then)) in self.counters.rows().into_iter().zip(old.rows()) {
            // Other ledgers have rows of the same names, so the error names the ledger.
            *now = grown(&format!("helper:{key}"), *now, *then)?;
        }
        let skip = |why| format!("helper:{}", skip_row(why));
        subtract(&mut self.hook_skips, &before.hook_skips, |why| skip(why.key()))?;
        subtract(&mut self.worker_skips, &before.worker_skips, |why| skip(why.key()))?;
        let hist = |of| move |low: &u64| format!("helper:{of}.hist.{low}");
        subtract(&mut self.window_pages, &before.window_pages, hist("window.pages"))?;
        subtract(&mut self.clean_us, &before.clean_us, hist("clean.us"))?;
        self.pending_before = before.pending;
        for (name, now) in &mut self.devices {
            if let Some(then) = before.devices.get(name) {
                now.since(then);
            }
        }
        Ok(self)
    }
}

impl HelperDevice {
    /// The counters of a device begin when it gets a lane. They begin again if write-around was off in between, or if
    /// the lane belonged to another device. Then all that is counted now is from this interval.
    fn since(&mut self, then: &Self) {
        let grown = [(self.queued, then.queued), (self.written, then.written), (self.windows, then.windows)]
            .map(|(now, then)| now.checked_sub(then));
        if let [Some(queued), Some(written), Some(windows)] = grown {
            (self.queued, self.written, self.windows) = (queued, written, windows);
        } else {
            self.restarted = true;
        }
    }
}

/// The rows `node.N.ns_per_page`. There are none while write-around is off.
fn pace(rows: &mut Rows) -> Result<BTreeMap<u64, u64>> {
    let mut pace = BTreeMap::new();
    let nodes: Vec<String> =
        rows.keys("node.").filter_map(|rest| rest.strip_suffix(".ns_per_page")).map(str::to_owned).collect();
    for node in nodes {
        let row = format!("node.{node}.ns_per_page");
        pace.insert(rows.parse_number(&row, &node)?, rows.number(&row)?);
    }
    Ok(pace)
}

fn parse_device(rows: &mut Rows, name: &str) -> Result<HelperDevice> {
    let mut number = |what: &str| rows.number(&format!("device.{name}.{what}"));
    Ok(HelperDevice {
        queued: number("queued")?,
        written: number("written")?,
        windows: number("windows")?,
        pending: number("pending")?,
        inflight_pages: number("inflight_pages")?,
        budget_pages: number("budget_pages")?,
        stuck: flag(rows, &format!("device.{name}.stuck"))?,
        restarted: false,
    })
}

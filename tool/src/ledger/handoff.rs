// SPDX-License-Identifier: GPL-2.0
//! `handoff`: what became of the swap-out requests that reclaim prepared.

use std::collections::BTreeMap;

use super::{
    half::{HelperState, Log2, devices, filled_histogram, flag, histogram, subtract},
    rows::{Rows, grown},
};
use crate::{
    error::{Error, Result},
    names::{Origin, Policy, Refused},
};

/// Requests, and the pages in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Requests.
    pub requests: u64,
    /// Pages.
    pub pages: u64,
}

/// What became of the requests that one origin prepared.
#[derive(Clone, Debug, Default)]
pub struct HandoffOrigin {
    /// Requests that it handed to a writer.
    pub taken: Requests,
    /// Requests that it had to submit itself, by reason.
    pub refused: BTreeMap<Refused, u64>,
    /// How many of the requests that it handed over waited for room.
    pub waits: u64,
    /// Microseconds of these waits.
    pub waits_us: u64,
    /// Requests by the microseconds that they waited. Buckets that are 0 may be missing.
    pub waits_hist: Log2,
    /// How often it waited for writeback, by us or by others.
    pub throttled: u64,
    /// Microseconds of these waits.
    pub throttled_us: u64,
}

/// Counters, which only grow while the module stays loaded.
#[derive(Clone, Debug, Default)]
pub struct HandoffCounters {
    /// What the writers submitted.
    pub written: Requests,
    /// Microseconds from handoff to submission, summed over the requests.
    pub queued_us: u64,
    /// Batches that the writers submitted.
    pub batches: u64,
    /// How often a writer woke.
    pub wakeups: u64,
    /// Requests of the writers that are completed.
    pub requests: u64,
    /// Pages in them.
    pub request_pages: u64,
    /// How many of these requests failed.
    pub request_errors: u64,
    /// Microseconds from submission to completion, summed over the requests.
    pub request_us: u64,
}

impl HandoffCounters {
    fn rows(&mut self) -> [(&'static str, &mut u64); 9] {
        [
            ("written.requests", &mut self.written.requests),
            ("written.pages", &mut self.written.pages),
            ("queued.us.sum", &mut self.queued_us),
            ("batches", &mut self.batches),
            ("wakeups", &mut self.wakeups),
            ("requests", &mut self.requests),
            ("request.pages", &mut self.request_pages),
            ("request.errors", &mut self.request_errors),
            ("request.us.sum", &mut self.request_us),
        ]
    }
}

/// One swap device.
#[derive(Clone, Debug, Default)]
pub struct HandoffDevice {
    /// Requests handed over for it.
    pub taken: u64,
    /// How many of these requests its writer submitted.
    pub written: u64,
    /// Requests handed over and not yet submitted, now.
    pub pending: u64,
    /// Pages that were handed over and are not completed, now.
    pub inside_pages: u64,
    /// How many of these pages were submitted, now.
    pub inflight_pages: u64,
    /// Pages that may be submitted at once, now.
    pub limit_pages: u64,
    /// Pages that the memory reserves allow to be submitted at once, now; `None` if they set no limit.
    pub reserve_pages: Option<u64>,
    /// Pages that it took in a second recently; `None` if this is not known.
    pub pages_per_s: Option<u64>,
    /// The shortest time that a request took recently, in nanoseconds; `None` if this is not known.
    pub request_ns: Option<u64>,
    /// Tasks that wait for room, now.
    pub waiting: u64,
    /// Whether it completes nothing of what it was given, now.
    pub late: bool,
    /// Whether `taken` and `written` were reset in the interval that is reported.
    pub restarted: bool,
}

const DEVICE_ROWS: [&str; 10] = [
    "taken",
    "written",
    "inside_pages",
    "inflight_pages",
    "limit_pages",
    "reserve_pages",
    "pages_per_s",
    "request_ns",
    "waiting",
    "late",
];

/// What the module prints for reserves that set no limit.
const NO_LIMIT: u64 = u32::MAX as u64;

/// The `handoff` ledger.
#[derive(Clone, Debug)]
pub struct Handoff {
    /// Whether it is on, now.
    pub state: HelperState,
    /// The policy now: when requests are handed over.
    pub policy: Policy,
    /// By origin; all of them.
    pub origins: BTreeMap<Origin, HandoffOrigin>,
    /// The counters of the writers.
    pub counters: HandoffCounters,
    /// Requests by the microseconds from handoff to submission.
    pub queued_us: Log2,
    /// Batches by pages.
    pub batch_pages: Log2,
    /// Requests by the microseconds from submission to completion.
    pub request_us: Log2,
    /// Requests handed over and not yet submitted, now.
    pub pending: u64,
    /// The same when the interval that is reported began.
    pub pending_before: u64,
    /// By device.
    pub devices: BTreeMap<String, HandoffDevice>,
}

impl Handoff {
    /// Parses the ledger. `version` is the version of the module.
    pub(super) fn parse(rows: &mut Rows, version: &str) -> Result<Self> {
        refuse_older(rows, version)?;
        let state = HelperState::parse(rows)?;
        let word = rows.take("policy")?;
        let Some(policy) = Policy::from_key(&word) else {
            return Err(rows.error(format!("row policy is neither never, low-headroom nor always: {word:?}")));
        };
        let mut origins = BTreeMap::new();
        // A module that never went past a writer does not have these rows, for any origin.
        let fast =
            Origin::ALL.iter().any(|origin| rows.keys(&refused_row(origin.key(), Refused::Fast)).next().is_some());
        for &origin in Origin::ALL {
            origins.insert(origin, parse_origin(rows, origin.key(), fast)?);
        }
        let mut counters = HandoffCounters::default();
        for (key, counter) in counters.rows() {
            *counter = rows.number(key)?;
        }
        Ok(Self {
            state,
            policy,
            origins,
            counters,
            queued_us: histogram(rows, "queued.us.hist.")?,
            batch_pages: histogram(rows, "batch.pages.hist.")?,
            request_us: histogram(rows, "request.us.hist.")?,
            pending: rows.number("pending.requests")?,
            pending_before: 0,
            devices: devices(rows, &DEVICE_ROWS, parse_device)?,
        })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (origin, now) in &mut self.origins {
            if let Some(then) = before.origins.get(origin) {
                now.since(origin.key(), then)?;
            }
        }
        let mut old = before.counters.clone();
        for ((key, now), (_, then)) in self.counters.rows().into_iter().zip(old.rows()) {
            // Other ledgers have rows of the same names, so the error names the ledger.
            *now = grown(&format!("handoff:{key}"), *now, *then)?;
        }
        let hist = |of| move |low: &u64| format!("handoff:{of}.hist.{low}");
        subtract(&mut self.queued_us, &before.queued_us, hist("queued.us"))?;
        subtract(&mut self.batch_pages, &before.batch_pages, hist("batch.pages"))?;
        subtract(&mut self.request_us, &before.request_us, hist("request.us"))?;
        self.pending_before = before.pending;
        for (name, now) in &mut self.devices {
            if let Some(then) = before.devices.get(name) {
                now.since(then);
            }
        }
        Ok(self)
    }
}

impl HandoffOrigin {
    fn rows(&mut self) -> [(&'static str, &mut u64); 6] {
        [
            ("taken.requests", &mut self.taken.requests),
            ("taken.pages", &mut self.taken.pages),
            ("waits", &mut self.waits),
            ("waits.us", &mut self.waits_us),
            ("throttled", &mut self.throttled),
            ("throttled.us", &mut self.throttled_us),
        ]
    }

    fn since(&mut self, origin: &str, then: &Self) -> Result<()> {
        let mut old = then.clone();
        for ((key, now), (_, then)) in self.rows().into_iter().zip(old.rows()) {
            *now = grown(&format!("handoff:{origin}.{key}"), *now, *then)?;
        }
        // A bucket that is missing is 0.
        for low in then.waits_hist.keys() {
            self.waits_hist.entry(*low).or_default();
        }
        subtract(&mut self.waits_hist, &then.waits_hist, |low| format!("handoff:{}{low}", waits_prefix(origin)))?;
        subtract(&mut self.refused, &then.refused, |why| format!("handoff:{}", refused_row(origin, *why)))
    }
}

impl HandoffDevice {
    /// The counters of a device begin when it gets a writer. They begin again if handoff was off in between, or if the
    /// writer belonged to another device. Then all that is counted now is from this interval.
    fn since(&mut self, then: &Self) {
        match (self.taken.checked_sub(then.taken), self.written.checked_sub(then.written)) {
            (Some(taken), Some(written)) => (self.taken, self.written) = (taken, written),
            _ => self.restarted = true,
        }
    }
}

fn refused_row(origin: &str, why: Refused) -> String {
    format!("{origin}.refused.{}.requests", why.key())
}

fn waits_prefix(origin: &str) -> String {
    format!("{origin}.waits.us.hist.")
}

/// Older modules handed over single folios. Their ledger has other rows with another meaning.
fn refuse_older(rows: &Rows, version: &str) -> Result<()> {
    let folios = Origin::ALL.iter().any(|origin| rows.keys(&format!("{}.taken.folios", origin.key())).next().is_some());
    if !folios {
        return Ok(());
    }
    Err(Error::OlderLedger { ledger: "handoff", version: version.to_owned(), counts: "folios", wanted: "requests" })
}

fn parse_origin(rows: &mut Rows, name: &str, fast: bool) -> Result<HandoffOrigin> {
    let mut origin = HandoffOrigin::default();
    for (key, counter) in origin.rows() {
        *counter = rows.number(&format!("{name}.{key}"))?;
    }
    for &why in Refused::ALL {
        let row = refused_row(name, why);
        let absent = why == Refused::Fast && !fast;
        origin.refused.insert(why, if absent { 0 } else { rows.number(&row)? });
    }
    origin.waits_hist = filled_histogram(rows, &waits_prefix(name))?;
    Ok(origin)
}

fn parse_device(rows: &mut Rows, name: &str) -> Result<HandoffDevice> {
    let mut number = |what: &str| rows.number(&format!("device.{name}.{what}"));
    let (taken, written) = (number("taken")?, number("written")?);
    Ok(HandoffDevice {
        taken,
        written,
        pending: taken.saturating_sub(written),
        inside_pages: number("inside_pages")?,
        inflight_pages: number("inflight_pages")?,
        limit_pages: number("limit_pages")?,
        reserve_pages: Some(number("reserve_pages")?).filter(|pages| *pages != NO_LIMIT),
        pages_per_s: Some(number("pages_per_s")?).filter(|rate| *rate > 0),
        request_ns: Some(number("request_ns")?).filter(|ns| *ns > 0),
        waiting: number("waiting")?,
        late: flag(rows, &format!("device.{name}.late"))?,
        restarted: false,
    })
}

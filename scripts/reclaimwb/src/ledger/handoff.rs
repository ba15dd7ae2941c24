// SPDX-License-Identifier: GPL-2.0
//! `handoff`: what became of the folios that reclaim would have swapped out itself.

use std::collections::BTreeMap;

use super::{
    Cell,
    half::{HelperState, Log2, devices, flag, histogram, skip_row, skips, subtract},
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{Later, Origin, Policy, Refused, WriterSkip},
};

/// What one origin would have swapped out itself.
#[derive(Clone, Debug, Default)]
pub struct HandoffOrigin {
    /// Folios that were handed to a writer.
    pub taken: Cell,
    /// Folios left for a later round of reclaim, each time, by reason.
    pub later: BTreeMap<Later, u64>,
    /// Folios that it had to deal with itself, by reason.
    pub refused: BTreeMap<Refused, u64>,
    /// Times it was told that waiting is worth it.
    pub waits: u64,
    /// Times it waited for writeback, for us or for others.
    pub throttled: u64,
    /// Microseconds of that.
    pub throttled_us: u64,
}

/// What only grows while the module stays loaded.
#[derive(Clone, Debug, Default)]
pub struct HandoffCounters {
    /// Folios that the writers wrote.
    pub written: Cell,
    /// Microseconds from handed over to written or skipped, summed over the folios.
    pub queued_us: u64,
    /// Batches that the writers submitted.
    pub batches: u64,
    /// Times that a writer woke.
    pub wakeups: u64,
    /// Requests of the writers that are done.
    pub requests: u64,
    /// Pages in them.
    pub request_pages: u64,
    /// Of the requests, how many failed.
    pub request_errors: u64,
    /// Microseconds from submitted to done, summed over the requests.
    pub request_us: u64,
}

impl HandoffCounters {
    fn rows(&mut self) -> [(&'static str, &mut u64); 9] {
        [
            ("written.folios", &mut self.written.folios),
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
    /// Folios handed over for it.
    pub taken: u64,
    /// Of these, folios written.
    pub written: u64,
    /// Folios handed over and not yet decided, now.
    pub pending: u64,
    /// Pages that may wait for the writer, now.
    pub room_pages: u64,
    /// Pages in flight, now.
    pub inflight_pages: u64,
    /// Pages that may be, now.
    pub limit_pages: u64,
    /// Pages that may be as far as the memory reserves go, now; `None`: they set no limit.
    pub reserve_pages: Option<u64>,
    /// Pages a second that it takes, of late; `None`: not known.
    pub pages_per_s: Option<u64>,
    /// The least that a request took of late, in nanoseconds; `None`: not known.
    pub request_ns: Option<u64>,
    /// Whether it does not answer, now.
    pub stuck: bool,
    /// Whether the two counters began anew in the interval reported on.
    pub restarted: bool,
}

const DEVICE_ROWS: [&str; 10] = [
    "taken",
    "written",
    "pending",
    "room_pages",
    "inflight_pages",
    "limit_pages",
    "reserve_pages",
    "pages_per_s",
    "request_ns",
    "stuck",
];

/// What the module says for a reserve that sets no limit.
const NO_LIMIT: u64 = u32::MAX as u64;

/// The `handoff` ledger.
#[derive(Clone, Debug)]
pub struct Handoff {
    /// Whether it is on, now.
    pub state: HelperState,
    /// When it hands off, now.
    pub policy: Policy,
    /// By origin; all of them.
    pub origins: BTreeMap<Origin, HandoffOrigin>,
    /// What the writers counted.
    pub counters: HandoffCounters,
    /// Folios handed over that were not written.
    pub skips: BTreeMap<WriterSkip, u64>,
    /// Folios by microseconds from handed over to written or skipped.
    pub queued_us: Log2,
    /// Batches by pages.
    pub batch_pages: Log2,
    /// Requests by microseconds from submitted to done.
    pub request_us: Log2,
    /// Folios handed over and not yet decided, now.
    pub pending: u64,
    /// The same when the interval reported on began.
    pub pending_before: u64,
    /// By device.
    pub devices: BTreeMap<String, HandoffDevice>,
}

impl Handoff {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = HelperState::parse(rows)?;
        let word = rows.take("policy")?;
        let Some(policy) = Policy::from_key(&word) else {
            return Err(rows.error(format!("row policy is neither never, low-headroom nor always: {word:?}")));
        };
        let mut origins = BTreeMap::new();
        for &origin in Origin::ALL {
            origins.insert(origin, parse_origin(rows, origin.key())?);
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
            skips: skips(rows, WriterSkip::ALL, WriterSkip::key)?,
            queued_us: histogram(rows, "queued.us.hist.")?,
            batch_pages: histogram(rows, "batch.pages.hist.")?,
            request_us: histogram(rows, "request.us.hist.")?,
            pending: rows.number("pending.folios")?,
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
            // Some of these rows are named as rows of other ledgers are.
            *now = grown(&format!("handoff:{key}"), *now, *then)?;
        }
        subtract(&mut self.skips, &before.skips, |why| format!("handoff:{}", skip_row(why.key())))?;
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
    fn rows(&mut self) -> [(&'static str, &mut u64); 5] {
        [
            ("taken.folios", &mut self.taken.folios),
            ("taken.pages", &mut self.taken.pages),
            ("waits", &mut self.waits),
            ("throttled", &mut self.throttled),
            ("throttled.us", &mut self.throttled_us),
        ]
    }

    fn since(&mut self, origin: &str, then: &Self) -> Result<()> {
        let mut old = then.clone();
        for ((key, now), (_, then)) in self.rows().into_iter().zip(old.rows()) {
            *now = grown(&format!("handoff:{origin}.{key}"), *now, *then)?;
        }
        subtract(&mut self.later, &then.later, |why| format!("handoff:{}", later_row(origin, *why)))?;
        subtract(&mut self.refused, &then.refused, |why| format!("handoff:{}", refused_row(origin, *why)))
    }
}

impl HandoffDevice {
    /// A device is counted from when it was given a writer, and anew when handoff was off or the writer was another
    /// device's in between: what is there now is then all of this interval.
    fn since(&mut self, then: &Self) {
        match (self.taken.checked_sub(then.taken), self.written.checked_sub(then.written)) {
            (Some(taken), Some(written)) => (self.taken, self.written) = (taken, written),
            _ => self.restarted = true,
        }
    }
}

fn later_row(origin: &str, why: Later) -> String {
    format!("{origin}.later.{}.folios", why.key())
}

fn refused_row(origin: &str, why: Refused) -> String {
    format!("{origin}.refused.{}.folios", why.key())
}

fn parse_origin(rows: &mut Rows, name: &str) -> Result<HandoffOrigin> {
    let mut origin = HandoffOrigin::default();
    for (key, counter) in origin.rows() {
        *counter = rows.number(&format!("{name}.{key}"))?;
    }
    for &why in Later::ALL {
        origin.later.insert(why, rows.number(&later_row(name, why))?);
    }
    for &why in Refused::ALL {
        let row = refused_row(name, why);
        // Older modules do not know that one.
        let n = if why == Refused::Failing { rows.number_opt(&row)?.unwrap_or(0) } else { rows.number(&row)? };
        origin.refused.insert(why, n);
    }
    Ok(origin)
}

fn parse_device(rows: &mut Rows, name: &str) -> Result<HandoffDevice> {
    let mut number = |what: &str| rows.number(&format!("device.{name}.{what}"));
    Ok(HandoffDevice {
        taken: number("taken")?,
        written: number("written")?,
        pending: number("pending")?,
        room_pages: number("room_pages")?,
        inflight_pages: number("inflight_pages")?,
        limit_pages: number("limit_pages")?,
        reserve_pages: Some(number("reserve_pages")?).filter(|pages| *pages != NO_LIMIT),
        pages_per_s: Some(number("pages_per_s")?).filter(|rate| *rate > 0),
        request_ns: Some(number("request_ns")?).filter(|ns| *ns > 0),
        stuck: flag(rows, &format!("device.{name}.stuck"))?,
        restarted: false,
    })
}

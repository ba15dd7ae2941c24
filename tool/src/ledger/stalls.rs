// SPDX-License-Identifier: GPL-2.0
//! `stalls` and `stalls_longest`: where the time of tasks that wanted memory went.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::sparse,
    half::Log2,
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{Cause, Origin, Phase},
};

/// Whether a part of a stall can be told from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Its probes are attached.
    Available,
    /// Its probes are switched off (parameters `stalls`, `shrinkers`, `tlb`). Its time counts as the cause that
    /// contains it.
    Off,
    /// The module that its probes are in is not loaded. Its time counts as the cause that contains it.
    Waiting,
    /// This kernel does not support its probes. Its time counts as the cause that contains it.
    Unavailable,
}

/// Causes that older modules do not have rows for.
const LATER: [Cause; 1] = [Cause::RqQos];

/// The time of a cause, which is 0 if the module is older than the cause.
fn time_of(rows: &mut Rows, cause: Cause, key: &str) -> Result<u64> {
    if LATER.contains(&cause) { rows.number_opt(key).map(Option::unwrap_or_default) } else { rows.number(key) }
}

impl Part {
    fn parse(rows: &mut Rows, cause: Cause) -> Result<Self> {
        let key = &format!("part.{}", cause.key());
        let value = if LATER.contains(&cause) {
            let Some(value) = rows.take_opt(key) else { return Ok(Self::Unavailable) };
            value
        } else {
            rows.take(key)?
        };
        match value.as_str() {
            "available" => Ok(Self::Available),
            "off" => Ok(Self::Off),
            "waiting" => Ok(Self::Waiting),
            "unavailable" => Ok(Self::Unavailable),
            other => {
                Err(rows.error(format!("row {key} is neither available, off, waiting nor unavailable: {other:?}")))
            }
        }
    }
}

/// The time that went to one cause.
#[derive(Clone, Debug, Default)]
pub struct CauseTime {
    /// Nanoseconds.
    pub ns: u64,
    /// Stalls that spent something on it, by microseconds.
    pub hist: Log2,
}

/// The stalls of one origin.
#[derive(Clone, Debug, Default)]
pub struct OriginStalls {
    /// How many there were.
    pub stalls: u64,
    /// Nanoseconds in all.
    pub ns: u64,
    /// Nanoseconds of the longest since the module was loaded.
    pub longest_ns: u64,
    /// Pages scanned.
    pub scanned: u64,
    /// Pages freed.
    pub freed: u64,
    /// Stalls by microseconds.
    pub hist: Log2,
    /// By cause; all of them.
    pub causes: BTreeMap<Cause, CauseTime>,
}

/// The `stalls` ledger.
#[derive(Clone, Debug)]
pub struct Stalls {
    /// Whether stalls are timed.
    pub on: bool,
    /// Whether a stall is the whole slow path of an allocation with its retries, or only a reclaim window.
    pub whole: bool,
    /// Which parts can be told apart.
    pub parts: BTreeMap<Cause, Part>,
    /// By origin.
    pub origins: BTreeMap<Origin, OriginStalls>,
    /// Stalls that began although most of what could be freed was clean. They have no histograms.
    pub clean: OriginStalls,
}

/// The origins that can stall a task.
pub const STALLING: [Origin; 6] =
    [Origin::Direct, Origin::MemcgMax, Origin::MemcgHigh, Origin::MemcgReclaim, Origin::Node, Origin::Other];

pub(super) fn subtract(name: &str, now: &mut Log2, before: &Log2) -> Result<()> {
    for (low, n) in now {
        *n = grown(&format!("{name}.{low}"), *n, before.get(low).copied().unwrap_or(0))?;
    }
    Ok(())
}

impl OriginStalls {
    fn parse(rows: &mut Rows, name: &str) -> Result<Self> {
        let mut causes = BTreeMap::new();
        for &cause in Cause::ALL {
            let part = format!("{name}.part.{}", cause.key());
            let ns = time_of(rows, cause, &format!("{part}.ns"))?;
            causes.insert(cause, CauseTime { ns, hist: sparse(rows, &format!("{part}.hist.us."))? });
        }
        let origin = Self {
            stalls: rows.number(&format!("{name}.stalls"))?,
            ns: rows.number(&format!("{name}.ns"))?,
            longest_ns: rows.number(&format!("{name}.longest.ns"))?,
            scanned: rows.number(&format!("{name}.scanned.pages"))?,
            freed: rows.number(&format!("{name}.freed.pages"))?,
            hist: sparse(rows, &format!("{name}.hist.us."))?,
            causes,
        };
        Ok(origin)
    }

    fn since(mut self, before: &Self, name: &str) -> Result<Self> {
        let row = |what: &str| format!("{name}.{what}");
        self.stalls = grown(&row("stalls"), self.stalls, before.stalls)?;
        self.ns = grown(&row("ns"), self.ns, before.ns)?;
        self.scanned = grown(&row("scanned.pages"), self.scanned, before.scanned)?;
        self.freed = grown(&row("freed.pages"), self.freed, before.freed)?;
        subtract(&row("hist.us"), &mut self.hist, &before.hist)?;
        for (cause, time) in &mut self.causes {
            if let Some(old) = before.causes.get(cause) {
                let part = row(&format!("part.{}", cause.key()));
                time.ns = grown(&format!("{part}.ns"), time.ns, old.ns)?;
                subtract(&format!("{part}.hist.us"), &mut time.hist, &old.hist)?;
            }
        }
        Ok(self)
    }
}

impl Stalls {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let on = match rows.take("state")?.as_str() {
            "on" => true,
            "off" => false,
            other => return Err(rows.error(format!("row state is neither on nor off: {other:?}"))),
        };
        let whole = match rows.take("envelope")?.as_str() {
            "slow_path" => true,
            "window" => false,
            other => return Err(rows.error(format!("row envelope is neither slow_path nor window: {other:?}"))),
        };
        let mut parts = BTreeMap::new();
        for &cause in Cause::ALL {
            parts.insert(cause, Part::parse(rows, cause)?);
        }
        let mut origins = BTreeMap::new();
        for origin in STALLING {
            origins.insert(origin, OriginStalls::parse(rows, origin.key())?);
        }
        let mut clean = OriginStalls {
            stalls: rows.number("clean.stalls")?,
            ns: rows.number("clean.ns")?,
            ..OriginStalls::default()
        };
        for &cause in Cause::ALL {
            let ns = time_of(rows, cause, &format!("clean.part.{}.ns", cause.key()))?;
            clean.causes.insert(cause, CauseTime { ns, hist: Log2::new() });
        }
        Ok(Self { on, whole, parts, origins, clean })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        let mut origins = BTreeMap::new();
        for (origin, stalls) in self.origins {
            let since = match before.origins.get(&origin) {
                Some(old) => stalls.since(old, origin.key())?,
                None => stalls,
            };
            origins.insert(origin, since);
        }
        self.origins = origins;
        self.clean = self.clean.since(&before.clean, "clean")?;
        Ok(self)
    }
}

/// One stall, with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stall {
    /// Nanoseconds.
    pub ns: u64,
    /// When it began, in nanoseconds of `CLOCK_MONOTONIC`.
    pub began_ns: u64,
    /// What it was for.
    pub origin: Origin,
    /// Order of the allocation.
    pub order: u64,
    /// The flags of the allocation, as a number; 0 for a cgroup's reclaim.
    pub gfp: String,
    /// The node that the task ran on.
    pub node: u64,
    /// The PID of the task.
    pub pid: i64,
    /// The name of the task.
    pub task: String,
    /// The id of the task's cgroup.
    pub cgroup: u64,
    /// Pages scanned.
    pub scanned_pages: u64,
    /// Pages freed.
    pub freed_pages: u64,
    /// Pages on the inactive file lists of the node when it began.
    pub inactive_file_pages: u64,
    /// The same for the anon lists.
    pub inactive_anon_pages: u64,
    /// Pages of files on the node that were dirty or under writeback.
    pub dirty_pages: u64,
    /// Nanoseconds by cause; their sum is `ns`.
    pub parts_ns: BTreeMap<Cause, u64>,
    /// The waits for NBD requests: nanoseconds by what the requests were waiting for in that time.
    pub nbd_ns: BTreeMap<Phase, u64>,
}

impl Stall {
    /// Parses a stall. Also returns the fields that this tool does not know.
    fn parse(rows: &Rows, key: &str, value: &str) -> Result<(Self, Vec<String>)> {
        let missing = |what: &str| rows.error(format!("row {key} has no {what}"));
        let (fields, task) = value.split_once(" comm=").ok_or_else(|| missing("comm"))?;
        let mut there = BTreeMap::new();
        for field in fields.split(' ') {
            let Some((name, value)) = field.split_once('=') else {
                return Err(rows.error(format!("row {key}: {field:?} is not name=value")));
            };
            there.insert(name, value);
        }
        let mut take = |name: &str| there.remove(name).ok_or_else(|| missing(name));
        let number = |name: &str, value: &str| rows.parse_number(&format!("{key} {name}"), value);
        let pid = take("pid")?;
        let origin = take("origin")?;
        let mut next = |name: &str| take(name).and_then(|value| number(name, value));
        let mut stall = Self {
            ns: next("ns")?,
            began_ns: next("began")?,
            origin: Origin::from_key(origin).ok_or_else(|| rows.error(format!("row {key}: no origin {origin:?}")))?,
            order: next("order")?,
            node: next("nid")?,
            cgroup: next("cgroup")?,
            scanned_pages: next("scanned")?,
            freed_pages: next("freed")?,
            inactive_file_pages: next("inactive_file")?,
            inactive_anon_pages: next("inactive_anon")?,
            dirty_pages: next("dirty")?,
            pid: pid.parse().map_err(|_| rows.error(format!("row {key}: pid {pid:?} is not a number")))?,
            gfp: take("gfp")?.to_owned(),
            task: task.to_owned(),
            parts_ns: BTreeMap::new(),
            nbd_ns: BTreeMap::new(),
        };
        for &cause in Cause::ALL {
            if let Some(value) = there.remove(cause.key()) {
                stall.parts_ns.insert(cause, number(cause.key(), value)?);
            }
        }
        for &phase in Phase::ALL {
            let name = format!("nbd.{}", phase.key());
            if let Some(value) = there.remove(name.as_str()) {
                stall.nbd_ns.insert(phase, number(&name, value)?);
            }
        }
        Ok((stall, there.into_keys().map(str::to_owned).collect()))
    }
}

/// The `stalls_longest` ledger: longest first.
#[derive(Clone, Debug, Default)]
pub struct Longest(pub Vec<Stall>);

impl Longest {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let (mut all, mut unknown) = (Vec::new(), BTreeSet::new());
        for (number, value) in rows.take_prefix("stall.") {
            let (stall, more) = Stall::parse(rows, &format!("stall.{number}"), &value)?;
            all.push(stall);
            unknown.extend(more);
        }
        rows.note_unknown(unknown.into_iter().map(|field| format!("stall.*.{field}")));
        all.sort_by_key(|stall| std::cmp::Reverse(stall.ns));
        Ok(Self(all))
    }

    /// The stalls that are not in the earlier ledger.
    pub(super) fn since(self, before: &Self) -> Self {
        Self(self.0.into_iter().filter(|stall| !before.0.contains(stall)).collect())
    }
}

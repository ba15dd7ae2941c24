// SPDX-License-Identifier: GPL-2.0
//! Where the time of tasks that wanted memory went.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Section,
    figures::{Times, mean},
};
use crate::{
    container,
    ledger::{
        GroupState, Hierarchy, LockWaits, Locks, Longest, OriginStalls, Part, Stall, StallCgroups, Stalls, WaitCount,
        total,
    },
    names::{Cause, Origin},
};

/// What went to one cause.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CauseRow {
    /// The cause.
    pub cause: Cause,
    /// Nanoseconds.
    pub ns: u64,
    /// Their share of all time in stalls, 0 to 1.
    pub share: f64,
    /// Stalls that spent something on it, and how long; absent where that is not known of a cgroup.
    pub stalls: Option<Times>,
}

/// The stalls of one origin.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StallRow {
    /// The origin.
    pub origin: Origin,
    /// Nanoseconds in stalls.
    pub ns: u64,
    /// How many, and how long they took.
    pub stalls: Times,
    /// Nanoseconds of the longest; absent if it was before the interval, and not kept.
    pub longest_ns: Option<u64>,
    /// Pages scanned to free them.
    pub scanned_pages: u64,
    /// Pages freed.
    pub freed_pages: u64,
    /// Pages scanned for each one freed; absent if none was.
    pub scanned_per_freed: Option<f64>,
    /// By cause, most first; only what took time.
    pub causes: Vec<CauseRow>,
}

/// The stalls of one cgroup's tasks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StallCgroupRow {
    /// Where its id is unique.
    pub hierarchy: Hierarchy,
    /// Its id; 0 for tasks in none, or in those that have no row.
    pub id: u64,
    /// Where it is, or was when it was removed; absent if that is not known.
    pub path: Option<String>,
    /// It has been removed; with id 0 all that were, and whose rows others have by now.
    pub removed: bool,
    /// At most so many nanoseconds more are its own, among those of id 0: it had no row for a while.
    pub missed_ns: u64,
    /// What runs in it, if the path tells: a container, a pod, a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Nanoseconds in all.
    pub ns: u64,
    /// How many, and how long they took.
    pub stalls: Times,
    /// Nanoseconds by cause; only what took time.
    pub causes_ns: BTreeMap<Cause, u64>,
}

/// Stalls that began although more than half of a node's inactive pages were clean ones of files.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CleanStalls {
    /// How many.
    pub stalls: u64,
    /// Nanoseconds in all.
    pub ns: u64,
    /// Nanoseconds by cause; only what took time.
    pub causes_ns: BTreeMap<Cause, u64>,
}

/// All stalls.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StallsSection {
    /// Whether they are timed, at the end.
    pub on: bool,
    /// Whether a stall is the whole slow path of an allocation, or a reclaim window alone.
    pub whole_slow_path: bool,
    /// Parts that are not told apart, and why not: their time counts as what they are a part of.
    pub not_told_apart: BTreeMap<Cause, Part>,
    /// How many there were.
    pub stalls: u64,
    /// Nanoseconds in all.
    pub ns: u64,
    /// The share of that which nothing explains, 0 to 1; absent if there was no stall.
    pub unexplained_share: Option<f64>,
    /// By origin; only those that stalled.
    pub origins: Vec<StallRow>,
    /// By cause, over all origins, most first.
    pub causes: Vec<CauseRow>,
    /// Those that began although most of what could be freed was clean; absent where that is not told of a part.
    pub clean: Option<CleanStalls>,
    /// By the tasks' cgroup, the one that lost most time first; only those that stalled.
    pub cgroups: Vec<StallCgroupRow>,
    /// Of an interval: cgroups whose rows others got in it.
    pub lost_rows: u64,
    /// The longest, longest first.
    pub longest: Vec<Stall>,
    /// Tasks that waited for locks of those that stalled; absent where that is not known, or not told of a part.
    pub locks: Option<StallLocks>,
}

/// Tasks that waited for a lock while the task that held it stalled.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StallLocks {
    /// How many waits there were, and how long they took in all while the holders stalled.
    #[serde(flatten)]
    pub all: WaitCount,
    /// Of these, waits of tasks that stalled themselves: they are part of those stalls.
    pub stalled: WaitCount,
    /// By call site, cause and holder, the one that took most time first.
    pub sites: Vec<LockWaits>,
    /// Waits that are not told apart.
    pub other: WaitCount,
}

pub(super) fn section(
    ledger: &Stalls,
    cgroups: &StallCgroups,
    longest: &Longest,
    locks: Option<&Locks>,
    since: bool,
) -> Section<StallsSection> {
    let mut all = OriginStalls::default();
    for origin in ledger.origins.values() {
        add(&mut all, origin);
    }
    let unexplained = all.causes.get(&Cause::Unexplained).map_or(0, |c| c.ns);
    let rows = ledger.origins.iter().filter(|(_, stalls)| stalls.stalls > 0);
    Section::Available(StallsSection {
        on: ledger.on,
        whole_slow_path: ledger.whole,
        not_told_apart: ledger.parts.iter().filter(|(_, p)| **p != Part::Available).map(|(c, p)| (*c, *p)).collect(),
        stalls: all.stalls,
        ns: all.ns,
        unexplained_share: (all.ns > 0).then(|| unexplained as f64 / all.ns as f64),
        origins: rows.map(|(origin, stalls)| row(*origin, stalls, longest, since)).collect(),
        causes: causes(&all),
        clean: Some(CleanStalls {
            stalls: ledger.clean.stalls,
            ns: ledger.clean.ns,
            causes_ns: ledger.clean.causes.iter().filter(|(_, c)| c.ns > 0).map(|(why, c)| (*why, c.ns)).collect(),
        }),
        cgroups: by_cgroup(cgroups),
        lost_rows: cgroups.lost_rows,
        longest: longest.0.clone(),
        locks: locks.filter(|locks| locks.state != GroupState::Unavailable).map(|locks| StallLocks {
            all: locks.all,
            stalled: locks.stalled,
            sites: locks.rows.clone(),
            other: locks.other,
        }),
    })
}

fn by_cgroup(ledger: &StallCgroups) -> Vec<StallCgroupRow> {
    let heirs = [(false, &ledger.other), (true, &ledger.removed)];
    let heirs = heirs.into_iter().map(|(removed, all)| ((Hierarchy::V2, 0), removed, all));
    let groups = ledger.groups.iter().map(|(key, one)| (*key, one.removed, one));
    let stalled = groups.chain(heirs).filter(|(_, _, one)| one.stalls > 0);
    let mut rows: Vec<StallCgroupRow> = stalled
        .map(|((hierarchy, id), removed, one)| StallCgroupRow {
            hierarchy,
            id,
            name: one.path.as_deref().and_then(container::name),
            path: one.path.clone(),
            removed,
            missed_ns: one.missed_ns,
            ns: one.ns,
            stalls: Times::new(one.stalls, one.ns / 1000, &one.hist),
            causes_ns: one.causes.iter().filter(|(_, ns)| **ns > 0).map(|(cause, ns)| (*cause, *ns)).collect(),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.ns));
    rows
}

fn add(all: &mut OriginStalls, one: &OriginStalls) {
    all.stalls = all.stalls.saturating_add(one.stalls);
    all.ns = all.ns.saturating_add(one.ns);
    for (cause, time) in &one.causes {
        let sum = all.causes.entry(*cause).or_default();
        sum.ns = sum.ns.saturating_add(time.ns);
        for (low, n) in &time.hist {
            let bucket = sum.hist.entry(*low).or_default();
            *bucket = bucket.saturating_add(*n);
        }
    }
}

fn row(origin: Origin, stalls: &OriginStalls, longest: &Longest, since: bool) -> StallRow {
    // When the longest ever was is not known: that of the interval is, unless longer ones before it took its place.
    let kept = longest.0.iter().filter(|stall| stall.origin == origin).map(|stall| stall.ns).max();
    StallRow {
        origin,
        ns: stalls.ns,
        stalls: Times::new(stalls.stalls, stalls.ns / 1000, &stalls.hist),
        longest_ns: if since { kept } else { Some(stalls.longest_ns) },
        scanned_pages: stalls.scanned,
        freed_pages: stalls.freed,
        scanned_per_freed: mean(stalls.scanned, stalls.freed),
        causes: causes(stalls),
    }
}

fn causes(stalls: &OriginStalls) -> Vec<CauseRow> {
    let spent = stalls.causes.iter().filter(|(_, time)| time.ns > 0);
    let mut rows: Vec<CauseRow> = spent
        .map(|(cause, time)| CauseRow {
            cause: *cause,
            ns: time.ns,
            share: time.ns as f64 / stalls.ns.max(1) as f64,
            stalls: Some(Times::new(total(time.hist.values().copied()), time.ns / 1000, &time.hist)),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.ns));
    rows
}

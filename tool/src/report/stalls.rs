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

/// The time that went to one cause.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CauseRow {
    /// The cause.
    pub cause: Cause,
    /// Nanoseconds.
    pub ns: u64,
    /// Its share of all time in stalls, 0 to 1.
    pub share: f64,
    /// How many stalls spent time on it, and how long; absent for a cgroup, for which this is not known.
    pub stalls: Option<Times>,
}

/// The stalls of one origin.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StallRow {
    /// The origin.
    pub origin: Origin,
    /// Nanoseconds in stalls.
    pub ns: u64,
    /// How many there were, and how long they took.
    pub stalls: Times,
    /// Nanoseconds of the longest stall; absent if none that is kept is from the interval.
    pub longest_ns: Option<u64>,
    /// Pages scanned.
    pub scanned_pages: u64,
    /// Pages freed.
    pub freed_pages: u64,
    /// Pages scanned for each page freed; absent if none was freed.
    pub scanned_per_freed: Option<f64>,
    /// By cause, the largest first; only causes that took time.
    pub causes: Vec<CauseRow>,
}

/// The stalls of one cgroup's tasks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StallCgroupRow {
    /// The hierarchy in which its id is unique.
    pub hierarchy: Hierarchy,
    /// Its id; 0 for tasks in no cgroup, or in cgroups that have no row.
    pub id: u64,
    /// Its path, or the path that it had when it was removed; absent if this is not known.
    pub path: Option<String>,
    /// Whether it has been removed. With id 0, the row stands for all removed cgroups whose rows others have by now.
    pub removed: bool,
    /// At most this many nanoseconds more are its own. They are among those of id 0, because it had no row for a while.
    pub missed_ns: u64,
    /// What runs in it, if the path tells: a container, a pod, a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Nanoseconds in all.
    pub ns: u64,
    /// How many there were, and how long they took.
    pub stalls: Times,
    /// Nanoseconds by cause; only causes that took time.
    pub causes_ns: BTreeMap<Cause, u64>,
}

impl StallCgroupRow {
    /// Its name, which `of` makes from its path, or what else is known of it.
    pub fn label(&self, of: fn(&str) -> String) -> String {
        let removed = if self.removed { " (removed)" } else { "" };
        match (&self.path, self.id) {
            (Some(path), _) => format!("{}{removed}", of(path)),
            (None, 0) if self.removed => "(removed ones)".into(),
            (None, 0) => "(others)".into(),
            (None, id) => format!("id {id}{removed}"),
        }
    }
}

/// Stalls that began although more than half of a node's inactive pages were clean file pages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CleanStalls {
    /// How many there were.
    pub stalls: u64,
    /// Nanoseconds in all.
    pub ns: u64,
    /// Nanoseconds by cause; only causes that took time.
    pub causes_ns: BTreeMap<Cause, u64>,
}

/// All stalls.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StallsSection {
    /// Whether they are timed, at the end.
    pub on: bool,
    /// Whether a stall is the whole slow path of an allocation, or only a reclaim window.
    pub whole_slow_path: bool,
    /// Causes that are not told apart, and why not. Their time counts as the cause that contains them.
    pub not_told_apart: BTreeMap<Cause, Part>,
    /// How many there were.
    pub stalls: u64,
    /// Nanoseconds in all.
    pub ns: u64,
    /// The share of the time that is unexplained, 0 to 1; absent if there was no stall.
    pub unexplained_share: Option<f64>,
    /// By origin; only origins with stalls.
    pub origins: Vec<StallRow>,
    /// By cause, over all origins, the largest first.
    pub causes: Vec<CauseRow>,
    /// Stalls that began although most of what could be freed was clean; absent in a narrowed report.
    pub clean: Option<CleanStalls>,
    /// By the cgroup of the tasks; only cgroups with stalls. The one that lost most time comes first.
    pub cgroups: Vec<StallCgroupRow>,
    /// In an interval, how many cgroups lost their row to another.
    pub lost_rows: u64,
    /// The longest stalls, the longest first.
    pub longest: Vec<Stall>,
    /// Waits for locks held by tasks that stalled; absent if they are not known, and in a narrowed report.
    pub locks: Option<StallLocks>,
}

impl StallsSection {
    /// The row of the cgroup that a kept stall names by its id alone; `None` if it is in no cgroup, or if it is not known
    /// which row it is.
    pub fn cgroup_of(&self, stall: &Stall) -> Option<&StallCgroupRow> {
        let mut rows = self.cgroups.iter().filter(|row| row.id != 0 && row.id == stall.cgroup);
        // There may be rows of both hierarchies.
        rows.next().filter(|_| rows.next().is_none())
    }
}

/// Tasks that waited for a lock while the task that held it stalled.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StallLocks {
    /// How many waits there were, and how long they took in all, while the holders stalled.
    #[serde(flatten)]
    pub all: WaitCount,
    /// Waits of tasks that stalled themselves, which are part of their stalls.
    pub stalled: WaitCount,
    /// By call site, cause and kind of holder. The one that took most time comes first.
    pub sites: Vec<LockWaits>,
    /// Waits that have no row.
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
    // It is not known when the longest stall ever was. The longest of the interval is known, unless longer ones from
    // before took its place.
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

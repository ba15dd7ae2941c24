// SPDX-License-Identifier: GPL-2.0
//! `shrinkers`: which shrinkers were called, by what, and what came of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    cgroups::Hierarchy,
    group::State,
    heirs::{fell, missed, settled, take_off},
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{Origin, ShrinkerCount as Count},
};

/// Sums over calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ShrinkerCounts {
    /// Calls.
    pub calls: u64,
    /// How many of these calls found no object.
    pub empty: u64,
    /// Calls that found some objects and scanned none, because there were too few.
    pub idle: u64,
    /// Calls that the shrinker refused to continue, because it may not enter a filesystem, or could not take a lock.
    pub refused: u64,
    /// Calls that ran while another one was in the same shrinker, for the same node and cgroup.
    pub overlapped: u64,
    /// Objects scanned.
    pub scanned: u64,
    /// Objects freed.
    pub freed: u64,
    /// Pages of slabs that became free during the calls.
    pub freed_pages: u64,
    /// Nanoseconds spent counting objects.
    pub count_ns: u64,
    /// Nanoseconds spent scanning objects.
    pub scan_ns: u64,
    /// Objects that calls left to later ones, of their own share.
    pub deferred: u64,
    /// How many of these objects were left because the reclaimer must not enter a filesystem.
    pub deferred_nofs: u64,
    /// Objects that calls scanned and that earlier calls had left.
    pub paid: u64,
    /// Calls of reclaimers that must not enter a filesystem.
    pub nofs_calls: u64,
}

impl ShrinkerCounts {
    fn fields(&mut self) -> [(Count, &mut u64); Count::COUNT] {
        [
            (Count::Calls, &mut self.calls),
            (Count::Empty, &mut self.empty),
            (Count::Idle, &mut self.idle),
            (Count::Refused, &mut self.refused),
            (Count::Overlapped, &mut self.overlapped),
            (Count::Scanned, &mut self.scanned),
            (Count::Freed, &mut self.freed),
            (Count::FreedPages, &mut self.freed_pages),
            (Count::CountNs, &mut self.count_ns),
            (Count::ScanNs, &mut self.scan_ns),
            (Count::Deferred, &mut self.deferred),
            (Count::DeferredNofs, &mut self.deferred_nofs),
            (Count::Paid, &mut self.paid),
            (Count::NofsCalls, &mut self.nofs_calls),
        ]
    }

    fn parse(rows: &mut Rows, prefix: &str) -> Result<Self> {
        let mut counts = Self::default();
        for (count, value) in counts.fields() {
            *value = rows.number(&format!("{prefix}.{}", count.name()))?;
        }
        Ok(counts)
    }

    fn since(mut self, mut before: Self, what: &str) -> Result<Self> {
        for ((count, now), (_, then)) in self.fields().into_iter().zip(before.fields()) {
            *now = grown(&format!("{what}.{}", count.name()), *now, *then)?;
        }
        Ok(self)
    }

    /// Turns counts into their growth. What is missing of the earlier counts was given away, and is added to `given`.
    /// Returns true if something is missing.
    fn fell(&mut self, mut before: Self, given: &mut Self) -> bool {
        let had = given.calls;
        let fields = self.fields().into_iter().zip(before.fields()).zip(given.fields());
        for (((_, now), (_, old)), (_, given)) in fields {
            fell(now, *old, given);
        }
        given.calls > had
    }

    /// Subtracts from the growth of an heir what it was given from before the interval.
    fn take_off(&mut self, given: &mut Self) {
        for ((_, heir), (_, given)) in self.fields().into_iter().zip(given.fields()) {
            take_off(heir, given);
        }
    }

    /// Adds the counts of other calls.
    pub fn add(&mut self, mut other: Self) {
        for ((_, sum), (_, n)) in self.fields().into_iter().zip(other.fields()) {
            *sum = sum.saturating_add(*n);
        }
    }

    /// Nanoseconds in all.
    pub fn ns(&self) -> u64 {
        self.count_ns.saturating_add(self.scan_ns)
    }

    /// Calls that had no objects or too few to free.
    pub fn useless(&self) -> u64 {
        self.empty.saturating_add(self.idle)
    }
}

/// Identifies a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShrinkerKey {
    /// The shrinker's name. Two shrinkers may have the same name.
    pub name: String,
    /// What asked for reclaim.
    pub origin: Origin,
    /// Hierarchy and id of the cgroup that was to shrink; id 0 for none.
    pub cgroup: (Hierarchy, u64),
    /// The node.
    pub node: u64,
}

/// The `shrinkers` ledger.
#[derive(Clone, Debug)]
pub struct Shrinkers {
    /// Whether calls are counted.
    pub state: State,
    /// Sums over calls.
    pub rows: BTreeMap<ShrinkerKey, ShrinkerCounts>,
    /// At most this many nanoseconds more belong to these rows. They are in `other`, because there was no row for a
    /// while.
    pub missed_ns: BTreeMap<ShrinkerKey, u64>,
    /// Calls that have no row, for living cgroups and for none.
    pub other: ShrinkerCounts,
    /// Calls that have no row any more, for cgroups that were removed.
    pub removed: ShrinkerCounts,
    /// In an interval, how many rows were given to others. What they had counted before is not in `other`.
    pub lost_rows: u64,
}

impl Shrinkers {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = State::parse(rows)?;
        let other = ShrinkerCounts::parse(rows, "other")?;
        // An older module never gives a row to another one, so it has no such rows.
        let has_removed = rows.keys("removed.").next().is_some();
        let removed = if has_removed { ShrinkerCounts::parse(rows, "removed")? } else { ShrinkerCounts::default() };
        let numbers: Vec<String> =
            rows.keys("shrinker.").filter_map(|rest| rest.strip_suffix(".name")).map(str::to_owned).collect();
        let mut all = BTreeMap::<ShrinkerKey, ShrinkerCounts>::new();
        let mut missed_ns = BTreeMap::<ShrinkerKey, u64>::new();
        for number in numbers {
            let row = format!("shrinker.{number}");
            let name = rows.take(&format!("{row}.name"))?;
            let origin = rows.take(&format!("{row}.origin"))?;
            let Some(origin) = Origin::from_key(&origin) else {
                return Err(rows.error(format!("row {row}.origin: no origin {origin:?}")));
            };
            let cgroup = match rows.number_opt(&format!("{row}.cgroup_v1"))? {
                Some(id) => (Hierarchy::V1, id),
                None => (Hierarchy::V2, rows.number(&format!("{row}.cgroup"))?),
            };
            let node = rows.number(&format!("{row}.node"))?;
            let missed = rows.number_opt(&format!("{row}.missed.ns"))?.unwrap_or(0);
            let counts = ShrinkerCounts::parse(rows, &row)?;
            let key = ShrinkerKey { name, origin, cgroup, node };
            if missed > 0 {
                let sum = missed_ns.entry(key.clone()).or_default();
                *sum = sum.saturating_add(missed);
            }
            all.entry(key).or_default().add(counts);
        }
        Ok(Self { state, rows: all, missed_ns, other, removed, lost_rows: 0 })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        let (mut living, mut gone) = (ShrinkerCounts::default(), ShrinkerCounts::default());
        for (key, old) in &before.rows {
            let mut none = ShrinkerCounts::default();
            let there = self.rows.contains_key(key);
            let now = self.rows.get_mut(key).unwrap_or(&mut none);
            let had = now.ns();
            self.lost_rows += u64::from(now.fell(*old, if there { &mut living } else { &mut gone }));
            if let Some(ns) = self.missed_ns.get_mut(key) {
                *ns = missed(*ns, old.ns(), had, u64::MAX);
            }
        }
        self.other = self.other.since(before.other, "other")?;
        self.removed = self.removed.since(before.removed, "removed")?;
        // The same as for cgroups: a cgroup that has a row now was not removed when it lost its earlier one. A cgroup
        // that has none was mostly removed.
        self.other.take_off(&mut living);
        self.removed.take_off(&mut living);
        self.removed.take_off(&mut gone);
        self.other.take_off(&mut gone);
        for mut left in [living, gone] {
            settled("calls of shrinkers", left.fields().into_iter().map(|(_, n)| *n))?;
        }
        let elsewhere = self.other.ns();
        for ns in self.missed_ns.values_mut() {
            *ns = (*ns).min(elsewhere);
        }
        Ok(self)
    }
}

// SPDX-License-Identifier: GPL-2.0
//! `stalls_cgroups`: where the time of tasks that wanted memory went, by the cgroup that they are in.

use std::collections::BTreeMap;

use super::{
    cgroups::Hierarchy,
    group::sparse,
    half::Log2,
    heirs::{all_fell, fell, missed, settled, take_all_off, take_off},
    rows::{Rows, grown},
    stalls::subtract,
};
use crate::{error::Result, names::Cause};

/// The stalls of one cgroup's tasks.
#[derive(Clone, Debug, Default)]
pub struct CgroupStalls {
    /// Its path; `None` if it is gone or not visible.
    pub path: Option<String>,
    /// How many there were.
    pub stalls: u64,
    /// Nanoseconds in all.
    pub ns: u64,
    /// Nanoseconds by cause; only non-zero ones.
    pub causes: BTreeMap<Cause, u64>,
    /// Stalls by microseconds.
    pub hist: Log2,
    /// Whether it has been removed.
    pub removed: bool,
    /// At most this many nanoseconds more are its own. They are in `other`, because it had no row for a while.
    pub missed_ns: u64,
}

/// The `stalls_cgroups` ledger.
#[derive(Clone, Debug, Default)]
pub struct StallCgroups {
    /// By hierarchy and cgroup id.
    pub groups: BTreeMap<(Hierarchy, u64), CgroupStalls>,
    /// Stalls of tasks in no cgroup, and in cgroups that have no row.
    pub other: CgroupStalls,
    /// Stalls of tasks in cgroups that were removed and have no row any more.
    pub removed: CgroupStalls,
    /// In an interval, how many cgroups lost their row. What they had counted before is not in `other`.
    pub lost_rows: u64,
}

impl CgroupStalls {
    fn parse(rows: &mut Rows, row: &str) -> Result<Self> {
        let mut causes = BTreeMap::new();
        for &cause in Cause::ALL {
            if let Some(ns) = rows.number_opt(&format!("{row}.part.{}.ns", cause.key()))? {
                causes.insert(cause, ns);
            }
        }
        Ok(Self {
            path: Some(rows.take(&format!("{row}.path"))?).filter(|path| path != "-"),
            stalls: rows.number(&format!("{row}.stalls"))?,
            ns: rows.number(&format!("{row}.ns"))?,
            causes,
            hist: sparse(rows, &format!("{row}.hist.us."))?,
            removed: rows.take_opt(&format!("{row}.removed")).is_some(),
            missed_ns: rows.number_opt(&format!("{row}.missed.ns"))?.unwrap_or(0),
        })
    }

    fn since(mut self, before: &Self, row: &str) -> Result<Self> {
        self.stalls = grown(&format!("{row}.stalls"), self.stalls, before.stalls)?;
        self.ns = grown(&format!("{row}.ns"), self.ns, before.ns)?;
        for (cause, ns) in &mut self.causes {
            let old = before.causes.get(cause).copied().unwrap_or(0);
            *ns = grown(&format!("{row}.part.{}.ns", cause.key()), *ns, old)?;
        }
        subtract(&format!("{row}.hist.us"), &mut self.hist, &before.hist)?;
        Ok(self)
    }

    /// Turns counts into their growth. What is missing of the earlier counts was given away, and is added to `given`.
    /// Returns true if something is missing.
    fn fell(&mut self, before: &Self, given: &mut Self) -> bool {
        let given_before = given.ns;
        fell(&mut self.stalls, before.stalls, &mut given.stalls);
        fell(&mut self.ns, before.ns, &mut given.ns);
        all_fell(&mut self.causes, &before.causes, &mut given.causes);
        all_fell(&mut self.hist, &before.hist, &mut given.hist);
        given.ns > given_before
    }

    /// Subtracts from the growth of an heir what it was given from before the interval.
    fn take_off(&mut self, given: &mut Self) {
        take_off(&mut self.stalls, &mut given.stalls);
        take_off(&mut self.ns, &mut given.ns);
        take_all_off(&mut self.causes, &mut given.causes);
        take_all_off(&mut self.hist, &mut given.hist);
    }

    fn settled(&self) -> Result<()> {
        settled("stalls", [self.stalls])?;
        settled("stalls' time", std::iter::once(self.ns).chain(self.causes.values().copied()))?;
        settled("stalls by length", self.hist.values().copied())
    }
}

impl StallCgroups {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut ledger = Self::default();
        for hierarchy in [Hierarchy::V2, Hierarchy::V1] {
            let prefix = format!("{}.", hierarchy.row());
            let ids: Vec<String> =
                rows.keys(&prefix).filter_map(|rest| rest.strip_suffix(".path")).map(str::to_owned).collect();
            for id in ids {
                let row = format!("{prefix}{id}");
                let number = rows.parse_number(&row, &id)?;
                ledger.groups.insert((hierarchy, number), CgroupStalls::parse(rows, &row)?);
            }
        }
        for (heir, name) in [(&mut ledger.other, "other.0"), (&mut ledger.removed, "removed.0")] {
            if rows.keys(&format!("{name}.")).next().is_some() {
                *heir = CgroupStalls::parse(rows, name)?;
            }
        }
        Ok(ledger)
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        let (mut living, mut gone) = (CgroupStalls::default(), CgroupStalls::default());
        for (key, old) in &before.groups {
            let mut none = CgroupStalls::default();
            let there = self.groups.contains_key(key);
            let group = self.groups.get_mut(key).unwrap_or(&mut none);
            let had = group.ns;
            self.lost_rows += u64::from(group.fell(old, if there { &mut living } else { &mut gone }));
            group.missed_ns = missed(group.missed_ns, old.ns, had, u64::MAX);
            group.path = group.path.take().or_else(|| old.path.clone());
        }
        self.other = self.other.since(&before.other, "other.0")?;
        self.removed = self.removed.since(&before.removed, "removed.0")?;
        // A cgroup that has a row now was not removed when it lost its earlier one. A cgroup that has none was mostly
        // removed.
        self.other.take_off(&mut living);
        self.removed.take_off(&mut living);
        self.removed.take_off(&mut gone);
        self.other.take_off(&mut gone);
        living.settled()?;
        gone.settled()?;
        for group in self.groups.values_mut() {
            group.missed_ns = group.missed_ns.min(self.other.ns);
        }
        Ok(self)
    }
}

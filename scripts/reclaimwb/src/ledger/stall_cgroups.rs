// SPDX-License-Identifier: GPL-2.0
//! `stalls_cgroups`: where the time of tasks that wanted memory went, by the cgroup that they are in.

use std::collections::BTreeMap;

use super::{
    cgroups::Hierarchy,
    group::sparse,
    half::Log2,
    rows::{Rows, grown},
    stalls::subtract,
};
use crate::{error::Result, names::Cause};

/// The stalls of one cgroup's tasks.
#[derive(Clone, Debug, Default)]
pub struct CgroupStalls {
    /// Where it is; `None` if it is gone or out of sight.
    pub path: Option<String>,
    /// How many.
    pub stalls: u64,
    /// Nanoseconds in all.
    pub ns: u64,
    /// Nanoseconds by cause; only non-zero ones.
    pub causes: BTreeMap<Cause, u64>,
    /// Stalls by microseconds.
    pub hist: Log2,
}

/// The `stalls_cgroups` ledger.
#[derive(Clone, Debug, Default)]
pub struct StallCgroups {
    /// By hierarchy and cgroup id.
    pub groups: BTreeMap<(Hierarchy, u64), CgroupStalls>,
    /// Of tasks in none, or that found no room.
    pub other: CgroupStalls,
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
        if rows.keys("other.0.").next().is_some() {
            ledger.other = CgroupStalls::parse(rows, "other.0")?;
        }
        Ok(ledger)
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        let mut groups = BTreeMap::new();
        for ((hierarchy, id), stalls) in self.groups {
            let old = before.groups.get(&(hierarchy, id)).cloned().unwrap_or_default();
            groups.insert((hierarchy, id), stalls.since(&old, &format!("{}.{id}", hierarchy.row()))?);
        }
        self.groups = groups;
        self.other = self.other.since(&before.other, "other.0")?;
        Ok(self)
    }
}

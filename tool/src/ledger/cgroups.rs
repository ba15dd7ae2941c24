// SPDX-License-Identifier: GPL-2.0
//! `cgroups`: pages written, by the cgroup they belonged to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    heirs::{all_fell, missed, settled, take_all_off},
    rows::{Rows, grown, total},
};
use crate::{error::Result, names::Origin};

/// The hierarchy in which a cgroup's id is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hierarchy {
    /// The default hierarchy.
    V2,
    /// A v1 hierarchy. The kernel does not give paths for ids of these.
    V1,
}

impl Hierarchy {
    /// The beginning of its rows' keys.
    pub(super) const fn row(self) -> &'static str {
        match self {
            Self::V2 => "cgroup",
            Self::V1 => "cgroup_v1",
        }
    }
}

/// The pages of one cgroup that reclaim wrote.
#[derive(Clone, Debug, Default)]
pub struct Cgroup {
    /// Its path; `None` if it is gone or not visible.
    pub path: Option<String>,
    /// Pages by origin; only non-zero ones.
    pub pages: BTreeMap<Origin, u64>,
    /// Whether it has been removed.
    pub removed: bool,
    /// At most this many pages more are its own. They are in `other`, because it had no row for a while.
    pub missed: u64,
}

impl Cgroup {
    /// Pages over all origins.
    pub fn total(&self) -> u64 {
        total(self.pages.values().copied())
    }
}

/// The `cgroups` ledger.
#[derive(Clone, Debug, Default)]
pub struct Cgroups {
    /// By hierarchy and cgroup id.
    pub groups: BTreeMap<(Hierarchy, u64), Cgroup>,
    /// Pages of cgroups that have no row, and pages of no cgroup, by origin.
    pub other: BTreeMap<Origin, u64>,
    /// Pages of cgroups that were removed and have no row any more, by origin.
    pub removed: BTreeMap<Origin, u64>,
    /// In an interval, how many cgroups lost their row. What they had counted before is not in `other`.
    pub lost_rows: u64,
}

impl Cgroups {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut ledger = Self::default();
        for &origin in Origin::ALL {
            for (heir, name) in [(&mut ledger.other, "other"), (&mut ledger.removed, "removed")] {
                if let Some(pages) = rows.number_opt(&format!("{name}.{}.pages", origin.key()))? {
                    heir.insert(origin, pages);
                }
            }
        }
        let mut paths = 0;
        for hierarchy in [Hierarchy::V2, Hierarchy::V1] {
            let name = hierarchy.row();
            for (rest, value) in rows.take_prefix(&format!("{name}.")) {
                let row = format!("{name}.{rest}");
                let Some((id, what)) = rest.split_once('.') else {
                    return Err(rows.error(format!("row {row} names no cgroup")));
                };
                let group = ledger.groups.entry((hierarchy, rows.parse_number(&row, id)?)).or_default();
                if what == "path" {
                    paths += 1;
                    group.path = Some(value).filter(|path| path != "-");
                } else if what == "removed" {
                    group.removed = true;
                } else if what == "missed.pages" {
                    group.missed = rows.parse_number(&row, &value)?;
                } else if let Some(origin) = what.strip_suffix(".pages").and_then(Origin::from_key) {
                    group.pages.insert(origin, rows.parse_number(&row, &value)?);
                } else {
                    return Err(rows.error(format!("row {row} is neither a path nor an origin's pages")));
                }
            }
        }
        if paths != ledger.groups.len() {
            return Err(rows.error("a cgroup has no row cgroup.<id>.path"));
        }
        Ok(ledger)
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        let (mut living, mut gone) = (BTreeMap::new(), BTreeMap::new());
        let had = self.groups.clone();
        for (key, old) in &before.groups {
            let mut none = Cgroup::default();
            let there = self.groups.contains_key(key);
            let group = self.groups.get_mut(key).unwrap_or(&mut none);
            let given = if there { &mut living } else { &mut gone };
            let fallen = total(given.values().copied());
            all_fell(&mut group.pages, &old.pages, given);
            self.lost_rows += u64::from(total(given.values().copied()) > fallen);
            group.path = group.path.take().or_else(|| old.path.clone());
        }
        subtract("other", &mut self.other, &before.other)?;
        subtract("removed", &mut self.removed, &before.removed)?;
        // A cgroup that has a row now was not removed when it lost its earlier one. A cgroup that has none was mostly
        // removed.
        take_all_off(&mut self.other, &mut living);
        take_all_off(&mut self.removed, &mut living);
        take_all_off(&mut self.removed, &mut gone);
        take_all_off(&mut self.other, &mut gone);
        settled("pages", living.into_values().chain(gone.into_values()))?;
        let elsewhere = total(self.other.values().copied());
        for (key, group) in &mut self.groups {
            let then = before.groups.get(key).map_or(0, Cgroup::total);
            group.missed = missed(group.missed, then, had.get(key).map_or(0, Cgroup::total), elsewhere);
        }
        Ok(self)
    }
}

fn subtract(name: &str, now: &mut BTreeMap<Origin, u64>, before: &BTreeMap<Origin, u64>) -> Result<()> {
    for (origin, pages) in now {
        let old = before.get(origin).copied().unwrap_or(0);
        *pages = grown(&format!("{name}.{}.pages", origin.key()), *pages, old)?;
    }
    Ok(())
}

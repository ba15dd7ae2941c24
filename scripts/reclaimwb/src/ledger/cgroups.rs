// SPDX-License-Identifier: GPL-2.0
//! `cgroups`: pages written, by the cgroup they belonged to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rows::{Rows, grown, total};
use crate::{error::Result, names::Origin};

/// Where a cgroup's id is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hierarchy {
    /// The default hierarchy.
    V2,
    /// A v1 hierarchy, whose paths the kernel does not tell by id.
    V1,
}

impl Hierarchy {
    /// How its rows begin.
    pub(super) const fn row(self) -> &'static str {
        match self {
            Self::V2 => "cgroup",
            Self::V1 => "cgroup_v1",
        }
    }
}

/// What one cgroup had written.
#[derive(Clone, Debug, Default)]
pub struct Cgroup {
    /// Where it is; `None` if it is gone or out of sight.
    pub path: Option<String>,
    /// Pages by origin; only non-zero ones.
    pub pages: BTreeMap<Origin, u64>,
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
    /// Pages of cgroups that found the table full, by origin.
    pub other: BTreeMap<Origin, u64>,
}

impl Cgroups {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut ledger = Self::default();
        for &origin in Origin::ALL {
            if let Some(pages) = rows.number_opt(&format!("other.{}.pages", origin.key()))? {
                ledger.other.insert(origin, pages);
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
        for (key, group) in &mut self.groups {
            if let Some(old) = before.groups.get(key) {
                subtract(&format!("{}.{}", key.0.row(), key.1), &mut group.pages, &old.pages)?;
            }
        }
        subtract("other", &mut self.other, &before.other)?;
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

// SPDX-License-Identifier: GPL-2.0
//! `cgroups`: pages written, by the cgroup they belonged to.

use std::collections::BTreeMap;

use super::rows::{Rows, grown, total};
use crate::{error::Result, names::Origin};

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
    /// By cgroup id.
    pub groups: BTreeMap<u64, Cgroup>,
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
        for (rest, value) in rows.take_prefix("cgroup.") {
            let row = format!("cgroup.{rest}");
            let Some((id, what)) = rest.split_once('.') else {
                return Err(rows.error(format!("row {row} names no cgroup")));
            };
            let group = ledger.groups.entry(rows.parse_number(&row, id)?).or_default();
            if what == "path" {
                paths += 1;
                group.path = Some(value).filter(|path| path != "-");
            } else if let Some(origin) = what.strip_suffix(".pages").and_then(Origin::from_key) {
                group.pages.insert(origin, rows.parse_number(&row, &value)?);
            } else {
                return Err(rows.error(format!("row {row} is neither a path nor an origin's pages")));
            }
        }
        if paths != ledger.groups.len() {
            return Err(rows.error("a cgroup has no row cgroup.<id>.path"));
        }
        Ok(ledger)
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (id, group) in &mut self.groups {
            if let Some(old) = before.groups.get(id) {
                subtract(&format!("cgroup.{id}"), &mut group.pages, &old.pages)?;
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

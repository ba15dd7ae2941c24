// SPDX-License-Identifier: GPL-2.0

//! Pages written by reclaim, by the cgroup that they were charged to.
//!
//! A bounded table per CPU, keyed by cgroup id, so that handlers (task context,
//! preemption off) need no lock; readers merge the tables by id.

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::PerCpu, //
    },
    origin::Origin,
    policy::{
        cgroup_key::CgroupKey,
        slots, //
    },
};
use kernel::prelude::*;
use pin_init::Zeroable;

/// Cgroups that one CPU tells apart.
const SLOTS: usize = 128;

/// Pages by origin.
#[derive(Zeroable)]
struct Row {
    /// A [`CgroupKey`]; 0: free. Ids begin at 1.
    key: Cell64,
    pages: [Cell64; Origin::COUNT],
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Cgroups {
    rows: [Row; SLOTS],
    /// Pages of cgroups that found no room, and of folios charged to none.
    other: [Cell64; Origin::COUNT],
}

/// Pages that one cgroup had written, by origin.
pub(crate) struct Total {
    /// Which cgroup.
    pub(crate) key: CgroupKey,
    /// Pages by origin.
    pub(crate) pages: [u64; Origin::COUNT],
}

impl Cgroups {
    fn row(&self, key: CgroupKey) -> Option<&Row> {
        for row in slots::probe_sequence(key.0, SLOTS).filter_map(|i| self.rows.get(i)) {
            let there = row.key.get();
            if there == key.0 {
                return Some(row);
            }
            // Rows are never given up, so the first free one ends the search.
            if there == 0 {
                row.key.set(key.0);
                return Some(row);
            }
        }
        None
    }

    /// Records pages of a cgroup; false when the table was full.
    #[inline]
    pub(crate) fn record(&self, key: CgroupKey, origin: Origin, pages: u64) -> bool {
        let charged = key != CgroupKey::NONE;
        let row = if charged { self.row(key) } else { None };
        let cells = row.map_or(&self.other, |r| &r.pages);
        if let Some(cell) = cells.get(origin as usize) {
            cell.add(pages);
        }
        row.is_some() || !charged
    }

    /// Pages of cgroups without a row, and of folios charged to none.
    pub(crate) fn other(&self, origin: Origin) -> u64 {
        self.other.get(origin as usize).map_or(0, Cell64::get)
    }

    /// The cgroups of all CPUs. May sleep.
    pub(crate) fn totals(all: &PerCpu<Self>) -> Result<KVVec<Total>> {
        let mut totals = KVVec::<Total>::new();
        for row in all.all().flat_map(|c| c.rows.iter()) {
            let key = CgroupKey(row.key.get());
            if key == CgroupKey::NONE {
                continue;
            }
            let at = match totals.iter().position(|t| t.key == key) {
                Some(at) => at,
                None => {
                    totals.push(
                        Total {
                            key,
                            pages: [0; Origin::COUNT],
                        },
                        GFP_KERNEL,
                    )?;
                    totals.len().saturating_sub(1)
                }
            };
            if let Some(total) = totals.get_mut(at) {
                for (sum, cell) in total.pages.iter_mut().zip(&row.pages) {
                    *sum = sum.wrapping_add(cell.get());
                }
            }
        }
        Ok(totals)
    }
}

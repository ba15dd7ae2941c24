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
    policy::slots,
};
use kernel::prelude::*;
use pin_init::Zeroable;

/// Cgroups that one CPU tells apart.
const SLOTS: usize = 128;

/// Pages by origin.
#[derive(Zeroable)]
struct Row {
    /// Cgroup id; 0: free. Ids begin at 1.
    id: Cell64,
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
    /// Cgroup id.
    pub(crate) id: u64,
    /// Pages by origin.
    pub(crate) pages: [u64; Origin::COUNT],
}

impl Cgroups {
    fn row(&self, id: u64) -> Option<&Row> {
        for row in slots::probe_sequence(id, SLOTS).filter_map(|i| self.rows.get(i)) {
            let there = row.id.get();
            if there == id {
                return Some(row);
            }
            // Rows are never given up, so the first free one ends the search.
            if there == 0 {
                row.id.set(id);
                return Some(row);
            }
        }
        None
    }

    /// Records pages of a cgroup; false when the table was full.
    #[inline]
    pub(crate) fn record(&self, id: u64, origin: Origin, pages: u64) -> bool {
        let row = if id == 0 { None } else { self.row(id) };
        let cells = row.map_or(&self.other, |r| &r.pages);
        if let Some(cell) = cells.get(origin as usize) {
            cell.add(pages);
        }
        row.is_some() || id == 0
    }

    /// Pages of cgroups without a row, and of folios charged to none.
    pub(crate) fn other(&self, origin: Origin) -> u64 {
        self.other.get(origin as usize).map_or(0, Cell64::get)
    }

    /// The cgroups of all CPUs. May sleep.
    pub(crate) fn totals(all: &PerCpu<Self>) -> Result<KVVec<Total>> {
        let mut totals = KVVec::<Total>::new();
        for row in all.all().flat_map(|c| c.rows.iter()) {
            let id = row.id.get();
            if id == 0 {
                continue;
            }
            let at = match totals.iter().position(|t| t.id == id) {
                Some(at) => at,
                None => {
                    totals.push(
                        Total {
                            id,
                            pages: [0; Origin::COUNT],
                        },
                        GFP_KERNEL,
                    )?;
                    totals.len() - 1
                }
            };
            if let Some(total) = totals.get_mut(at) {
                for (sum, cell) in total.pages.iter_mut().zip(&row.pages) {
                    *sum += cell.get();
                }
            }
        }
        Ok(totals)
    }
}

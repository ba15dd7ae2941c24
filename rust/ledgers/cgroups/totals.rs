// SPDX-License-Identifier: GPL-2.0

//! What the tables of all CPUs come to.

use crate::{
    kernel_ext::cell::Cell64,
    policy::{
        cgroup_key::CgroupKey,
        heaviest::Past, //
    },
};
use kernel::prelude::*;

/// What all CPUs counted of one cgroup.
pub(crate) struct CgroupCounts<const N: usize, const D: usize = 0> {
    /// Which.
    pub(crate) key: CgroupKey,
    /// What else is known of it.
    pub(crate) details: [u64; D],
    /// Its counts.
    pub(crate) counts: [u64; N],
    /// At most so much more weight is its own, among `other`.
    pub(crate) missed: u64,
    /// It has been removed.
    pub(crate) removed: bool,
}

/// What all CPUs counted.
pub(crate) struct Totals<const N: usize, const D: usize = 0> {
    cgroups: KVVec<CgroupCounts<N, D>>,
    /// Of those that have none, and of none.
    pub(crate) other: [u64; N],
    /// Of those that are gone and have none.
    pub(crate) removed: [u64; N],
}

impl<const N: usize, const D: usize> Totals<N, D> {
    /// Of no CPU yet.
    pub(super) fn new() -> Self {
        Self {
            cgroups: KVVec::new(),
            other: [0; N],
            removed: [0; N],
        }
    }

    /// Those that have a row.
    pub(crate) fn cgroups(&self) -> impl Iterator<Item = &CgroupCounts<N, D>> {
        self.cgroups.iter().filter(|t| t.key != CgroupKey::NONE)
    }

    /// Adds one CPU's row. `otherwise` is what would be missed there without it.
    pub(super) fn add(&mut self, row: &CgroupCounts<N, D>, otherwise: u64) -> Result {
        // An id of a v1 hierarchy may be another cgroup's by now.
        let same = |t: &CgroupCounts<N, D>| {
            t.key == row.key && (!t.key.is_v1() || t.removed == row.removed)
        };
        let at = match self.cgroups.iter().position(same) {
            Some(at) => at,
            None => {
                let total = CgroupCounts {
                    key: row.key,
                    details: [0; D],
                    counts: [0; N],
                    missed: 0,
                    removed: false,
                };
                self.cgroups.push(total, GFP_KERNEL)?;
                self.cgroups.len().saturating_sub(1)
            }
        };
        if let Some(total) = self.cgroups.get_mut(at) {
            add(&mut total.counts, &row.counts);
            // What is added for this CPU in the end is not so.
            total.missed = total
                .missed
                .wrapping_add(row.missed)
                .wrapping_sub(otherwise);
            total.removed |= row.removed;
            for (to, &from) in total.details.iter_mut().zip(&row.details) {
                if from != 0 {
                    *to = from;
                }
            }
        }
        Ok(())
    }

    /// All CPUs are in it; `pasts` are what their tables know of those that lost their rows, and
    /// the weight that these left.
    pub(super) fn settle(&mut self, pasts: &[(Past, u64)]) {
        for total in self.cgroups.iter_mut() {
            for (past, left) in pasts {
                let elsewhere = past.may_have(total.key).min(*left);
                total.missed = total.missed.wrapping_add(elsewhere);
            }
        }
        self.fold_reused();
    }

    /// What was counted of an id that another cgroup has now is among what was removed.
    fn fold_reused(&mut self) {
        for at in 0..self.cgroups.len() {
            let Some(key) = self.cgroups.get(at).filter(|t| t.removed).map(|t| t.key) else {
                continue;
            };
            if self.cgroups.iter().any(|t| t.key == key && !t.removed) {
                if let Some(total) = self.cgroups.get_mut(at) {
                    add(&mut self.removed, &total.counts);
                    total.key = CgroupKey::NONE;
                }
            }
        }
    }
}

/// Adds cells to sums.
pub(super) fn sum<const N: usize>(sums: &mut [u64; N], cells: &[Cell64; N]) {
    for (sum, cell) in sums.iter_mut().zip(cells) {
        *sum = sum.wrapping_add(cell.get());
    }
}

/// Adds counts to sums.
pub(super) fn add<const N: usize>(sums: &mut [u64; N], counts: &[u64; N]) {
    for (sum, n) in sums.iter_mut().zip(counts) {
        *sum = sum.wrapping_add(*n);
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The sums of the tables of all CPUs.

use crate::{
    kernel_ext::cell::Cell64,
    policy::{
        cgroup_key::CgroupKey,
        heaviest::RowHistory, //
    },
};
use kernel::prelude::*;

/// The counts of one cgroup on all CPUs.
pub(crate) struct CgroupCounts<const N: usize, const D: usize = 0> {
    /// The key of the cgroup, or of what belongs to it.
    pub(crate) key: CgroupKey,
    /// Its details.
    pub(crate) details: [u64; D],
    /// Its counts.
    pub(crate) counts: [u64; N],
    /// The most weight, among `other`, that may be its own, too.
    pub(crate) missed: u64,
    /// Whether the cgroup has been removed.
    pub(crate) removed: bool,
}

/// The counts of all CPUs.
pub(crate) struct Totals<const N: usize, const D: usize = 0> {
    cgroups: KVVec<CgroupCounts<N, D>>,
    /// Counts of living cgroups that have no row, and of no cgroup.
    pub(crate) other: [u64; N],
    /// Counts of removed cgroups that have no row.
    pub(crate) removed: [u64; N],
}

impl<const N: usize, const D: usize> Totals<N, D> {
    /// Creates the counts, of no CPU yet.
    pub(super) fn new() -> Self {
        Self {
            cgroups: KVVec::new(),
            other: [0; N],
            removed: [0; N],
        }
    }

    /// Returns the cgroups that have a row.
    pub(crate) fn cgroups(&self) -> impl Iterator<Item = &CgroupCounts<N, D>> {
        self.cgroups.iter().filter(|t| t.key != CgroupKey::NONE)
    }

    /// Adds a row of one CPU. `otherwise` is the weight that the cgroup might have missed on that
    /// CPU if it had no row there.
    pub(super) fn add(&mut self, row: &CgroupCounts<N, D>, otherwise: u64) -> Result {
        // An id of a v1 hierarchy may belong to another cgroup by now.
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
            // `settle()` adds `otherwise` for each CPU. For this CPU that would be wrong.
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

    /// Ends the sum, when the rows of all CPUs have been added. For each CPU, `histories` has what
    /// its table knows of the cgroups that lost their rows, and the weight that these left.
    pub(super) fn settle(&mut self, histories: &[(RowHistory, u64)]) {
        for total in self.cgroups.iter_mut() {
            for (history, left) in histories {
                let elsewhere = history.may_have(total.key).min(*left);
                total.missed = total.missed.wrapping_add(elsewhere);
            }
        }
        self.fold_reused();
    }

    /// Moves the counts of a removed cgroup to `removed` if another cgroup has its id now.
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

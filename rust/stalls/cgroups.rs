// SPDX-License-Identifier: GPL-2.0

//! Stalls by the cgroup of the task.

use super::count;
use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::PerCpu, //
    },
    policy::{
        cgroup_key::CgroupKey,
        log2,
        slots,
        stall::Cause, //
    },
    shim::stall::Stalled,
};
use kernel::prelude::*;
use pin_init::Zeroable;

/// Cgroups that a CPU tells apart.
const CGROUPS: usize = 64;

/// One cgroup's stalls on one CPU.
#[derive(Zeroable)]
pub(crate) struct ByCgroup {
    /// A [`CgroupKey`]; 0: free.
    key: Cell64,
    stalls: Cell64,
    ns: Cell64,
    parts: [Cell64; Cause::COUNT],
    hist: [Cell64; log2::BUCKETS],
}

impl ByCgroup {
    fn add(&self, stall: &Stalled) {
        self.stalls.add(1);
        self.ns.add(stall.ns);
        for (part, &ns) in self.parts.iter().zip(&stall.parts) {
            part.add(ns);
        }
        count(&self.hist, stall.ns);
    }
}

/// Per-CPU instance, by cgroup.
#[derive(Zeroable)]
pub(crate) struct Cgroups {
    rows: [ByCgroup; CGROUPS],
    /// Of those that found no room, and of tasks in none.
    other: ByCgroup,
}

/// What a cgroup's tasks, on all CPUs, lost.
pub(crate) struct CgroupTotal {
    /// Which; `NONE` for those that are not told apart.
    pub(crate) key: CgroupKey,
    /// Stalls.
    pub(crate) stalls: u64,
    /// Nanoseconds.
    pub(crate) ns: u64,
    /// Nanoseconds by cause.
    pub(crate) parts: [u64; Cause::COUNT],
    /// Stalls by microseconds, log2.
    pub(crate) hist: [u64; log2::BUCKETS],
}

impl CgroupTotal {
    const fn new(key: CgroupKey) -> Self {
        Self {
            key,
            stalls: 0,
            ns: 0,
            parts: [0; Cause::COUNT],
            hist: [0; log2::BUCKETS],
        }
    }

    fn add(&mut self, row: &ByCgroup) {
        self.stalls = self.stalls.wrapping_add(row.stalls.get());
        self.ns = self.ns.wrapping_add(row.ns.get());
        for (sum, cell) in self.parts.iter_mut().zip(&row.parts) {
            *sum = sum.wrapping_add(cell.get());
        }
        for (sum, cell) in self.hist.iter_mut().zip(&row.hist) {
            *sum = sum.wrapping_add(cell.get());
        }
    }
}

impl Cgroups {
    /// Adds a stall; false when its cgroup found no room.
    pub(super) fn add(&self, stall: &Stalled) -> bool {
        let key = stall.setting.cgroup_key();
        if key == CgroupKey::NONE {
            self.other.add(stall);
            return true;
        }
        for row in slots::probe_sequence(key.0, CGROUPS).filter_map(|i| self.rows.get(i)) {
            // Rows are never given up, so the first free one ends the search.
            if row.key.get() == 0 {
                row.key.set(key.0);
            }
            if row.key.get() == key.0 {
                row.add(stall);
                return true;
            }
        }
        self.other.add(stall);
        false
    }

    /// The cgroups of all CPUs; the last one is what is not told apart. May sleep.
    pub(crate) fn totals(all: &PerCpu<Self>) -> Result<KVVec<CgroupTotal>> {
        let mut totals = KVVec::<CgroupTotal>::new();
        for row in all.all().flat_map(|c| c.rows.iter()) {
            let key = CgroupKey(row.key.get());
            if key == CgroupKey::NONE {
                continue;
            }
            let at = match totals.iter().position(|t| t.key == key) {
                Some(at) => at,
                None => {
                    totals.push(CgroupTotal::new(key), GFP_KERNEL)?;
                    totals.len().saturating_sub(1)
                }
            };
            if let Some(total) = totals.get_mut(at) {
                total.add(row);
            }
        }
        let mut other = CgroupTotal::new(CgroupKey::NONE);
        for cgroups in all.all() {
            other.add(&cgroups.other);
        }
        totals.push(other, GFP_KERNEL)?;
        Ok(totals)
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The shrinker ledger: who calls which shrinker, for how much time and how many objects;
//! work that is put off, and who does it later; calls of one shrinker at the same time.
//!
//! A call is followed in a table by task, and added to one instance per CPU, with
//! preemption off, when it returns. Shared by CPUs are only the table's keys, and a
//! counter for each shrinker, node and cgroup that are being called.

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::{
            PerCpu,
            PerCpuTable,
            Pinned, //
        },
        system, //
    },
    policy::{
        cgroup_key::CgroupKey,
        shrink::{
            self,
            ScanPlan,
            Settled, //
        },
        slots, //
    },
    shim::function::{
        Shrink,
        NAME_LEN, //
    },
    tables::tasks::Tasks,
    words::{
        Origin,
        ShrinkerCount, //
    },
};
use kernel::prelude::*;
use pin_init::Zeroable;

mod names;
mod running;

use names::ShrinkerNames;
use running::Calls;

/// Rows of a CPU: one a shrinker, origin, cgroup and node.
const ROWS: usize = 512;

/// A call that goes on.
#[derive(Clone, Copy)]
struct Call {
    shrink: Shrink,
    origin: Origin,
    began: u64,
    /// When it began to scan, and what it had to do.
    scan: Option<(u64, ScanPlan)>,
    /// What it scanned and freed.
    done: (Settled, u64),
    /// Others were in the same shrinker, for the same node and cgroup.
    overlaps: bool,
    /// Pages of slabs that its reclaim had freed before.
    reclaimed: u64,
    /// Calls within it that go on.
    nested: u32,
}

/// A per-CPU row. Written by its CPU alone.
#[derive(Zeroable)]
struct ShrinkerRow {
    /// 0: free.
    shrinker: Cell64,
    name: Cell64,
    cgroup: Cell64,
    origin: Cell64,
    node: Cell64,
    counts: CallCounts,
}

/// What one origin's calls of one shrinker for one cgroup came to.
#[derive(Zeroable)]
struct CallCounts {
    cells: [Cell64; ShrinkerCount::COUNT],
}

/// A call that returned, as it is added to a row: by [`ShrinkerCount`].
type CallTotals = [u64; ShrinkerCount::COUNT];

impl CallCounts {
    fn add(&self, counted: &CallTotals) {
        for (cell, &n) in self.cells.iter().zip(counted) {
            if n != 0 {
                cell.add(n);
            }
        }
    }
}

impl ShrinkerRow {
    /// Of a CPU's rows that of a call, and whether it is new.
    fn of<'a>(rows: &'a [ShrinkerRow], call: &Call) -> Option<(&'a ShrinkerRow, bool)> {
        let shrink = &call.shrink;
        let cgroup = shrink.cgroup_key().0;
        let key = shrink::mix(&[
            shrink.shrinker as u64,
            shrink.name,
            cgroup,
            call.origin as u64,
            shrink.nid.into(),
        ]);
        for row in slots::probe_sequence(key, ROWS).filter_map(|i| rows.get(i)) {
            // Rows are never given up, so the first free one ends the search.
            if row.shrinker.get() == 0 {
                row.name.set(shrink.name);
                row.cgroup.set(cgroup);
                row.origin.set(call.origin as u64);
                row.node.set(shrink.nid.into());
                row.shrinker.set(shrink.shrinker as u64);
                return Some((row, true));
            }
            if row.shrinker.get() == shrink.shrinker as u64
                && row.name.get() == shrink.name
                && row.cgroup.get() == cgroup
                && row.origin.get() == call.origin as u64
                && row.node.get() == u64::from(shrink.nid)
            {
                return Some((row, false));
            }
        }
        None
    }
}

/// What all CPUs counted of one shrinker, origin, cgroup and node.
pub(crate) struct ShrinkerTotal {
    shrinker: u64,
    name: u64,
    /// For whose sake it was called.
    pub(crate) origin: Option<Origin>,
    /// The cgroup that was to shrink.
    pub(crate) cgroup: CgroupKey,
    /// Its node.
    pub(crate) node: u64,
    /// By [`ShrinkerCount`].
    pub(crate) counts: CallTotals,
}

/// All of it.
pub(crate) struct Shrinkers {
    calls: Tasks<Call>,
    rows: PerCpuTable<ShrinkerRow>,
    other: PerCpu<CallCounts>,
    names: ShrinkerNames,
    running: Calls,
}

impl Shrinkers {
    /// Allocates, for `tasks` that can be in a shrinker at once, a power of two. Sleeps.
    pub(crate) fn new(tasks: usize) -> Result<Self> {
        let none = Call {
            shrink: pin_init::zeroed(),
            origin: Origin::Other,
            began: 0,
            scan: None,
            done: Default::default(),
            nested: 0,
            overlaps: false,
            reclaimed: 0,
        };
        Ok(Self {
            calls: Tasks::new(tasks, none)?,
            rows: PerCpuTable::new(ROWS)?,
            other: PerCpu::new()?,
            names: ShrinkerNames::new()?,
            running: Calls::new()?,
        })
    }

    /// A task begins to call a shrinker; false if there is no room to follow that.
    pub(crate) fn begin(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        shrink: Shrink,
        origin: Origin,
        now: u64,
    ) -> bool {
        // One that a shrinker's own allocation led to counts as part of that.
        let nested = self.calls.with(pin, task, |call| {
            call.nested = call.nested.saturating_add(1);
        });
        if nested.is_some() {
            return true;
        }
        let call = Call {
            shrink,
            origin,
            began: now,
            scan: None,
            done: Default::default(),
            nested: 0,
            overlaps: self.running.enter(&shrink),
            reclaimed: system::reclaimed(),
        };
        let followed = self.calls.insert(pin, task, call);
        if !followed {
            self.running.leave(&shrink);
        }
        followed
    }

    /// It has counted, and begins to scan.
    pub(crate) fn scans(&self, pin: &Pinned<'_>, task: usize, work: ScanPlan, now: u64) {
        self.calls.with(pin, task, |call| {
            if call.nested == 0 {
                call.scan = Some((now, work));
            }
        });
    }

    /// It has scanned; `left` of what it had planned is left, or it scanned more.
    pub(crate) fn scanned(&self, pin: &Pinned<'_>, task: usize, left: i64, freed: u64) {
        self.calls.with(pin, task, |call| {
            if let Some((_, work)) = call.scan.filter(|_| call.nested == 0) {
                call.done = (work.settle(left), freed);
            }
        });
    }

    /// It returns. False if there was no room for it.
    pub(crate) fn end(&self, pin: &Pinned<'_>, task: usize, now: u64) -> bool {
        let nested = self.calls.with(pin, task, |call| {
            let nested = call.nested;
            call.nested = nested.saturating_sub(1);
            nested
        });
        if nested != Some(0) {
            return true;
        }
        let Some(call) = self.calls.remove(pin, task) else {
            return true;
        };
        self.running.leave(&call.shrink);
        let (done, freed) = call.done;
        let counting = call.scan.map_or(now, |(began, _)| began);
        let nofs = !call.shrink.fs();
        let counted = [
            1,
            call.scan.is_none().into(),
            (call.scan.is_some() && done.scanned == 0 && !done.refused).into(),
            done.refused.into(),
            call.overlaps.into(),
            done.scanned,
            freed,
            system::reclaimed().saturating_sub(call.reclaimed),
            counting.saturating_sub(call.began),
            now.saturating_sub(counting),
            done.deferred,
            if nofs && done.refused {
                done.deferred
            } else {
                0
            },
            done.paid,
            nofs.into(),
        ];
        match ShrinkerRow::of(self.rows.this(pin), &call) {
            Some((row, new)) => {
                row.counts.add(&counted);
                if new {
                    self.names.note(&call.shrink);
                }
                true
            }
            None => {
                self.other.this(pin).add(&counted);
                false
            }
        }
    }

    /// Copies a shrinker's name. Process context.
    pub(crate) fn name_of(&self, total: &ShrinkerTotal) -> [u8; NAME_LEN] {
        self.names.of(total.shrinker, total.name)
    }

    /// What all CPUs counted; and last what found no row. Process context; sleeps.
    pub(crate) fn totals(&self) -> Result<KVVec<ShrinkerTotal>> {
        let mut totals = KVVec::<ShrinkerTotal>::new();
        for row in self.rows.all() {
            let shrinker = row.shrinker.get();
            if shrinker == 0 {
                continue;
            }
            let (name, cgroup) = (row.name.get(), CgroupKey(row.cgroup.get()));
            let node = row.node.get();
            let origin = u8::try_from(row.origin.get())
                .ok()
                .and_then(Origin::from_u8);
            let at = totals.iter().position(|t| {
                (t.shrinker, t.name, t.cgroup, t.origin, t.node)
                    == (shrinker, name, cgroup, origin, node)
            });
            let at = match at {
                Some(at) => at,
                None => {
                    let total = ShrinkerTotal {
                        shrinker,
                        name,
                        origin,
                        cgroup,
                        node,
                        counts: [0; ShrinkerCount::COUNT],
                    };
                    totals.push(total, GFP_KERNEL)?;
                    totals.len().saturating_sub(1)
                }
            };
            if let Some(total) = totals.get_mut(at) {
                sum(&mut total.counts, &row.counts);
            }
        }
        Ok(totals)
    }

    /// What found no row.
    pub(crate) fn other(&self) -> CallTotals {
        let mut counts = [0; ShrinkerCount::COUNT];
        for other in self.other.all() {
            sum(&mut counts, other);
        }
        counts
    }

    /// Forgets the calls that are under way.
    pub(crate) fn clear(&self) {
        self.calls.clear();
        self.running.clear();
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        [
            self.calls.bytes(),
            self.rows.bytes(),
            self.other.bytes(),
            self.names.bytes(),
            self.running.bytes(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

fn sum(counts: &mut CallTotals, cells: &CallCounts) {
    for (n, cell) in counts.iter_mut().zip(&cells.cells) {
        *n = n.wrapping_add(cell.get());
    }
}

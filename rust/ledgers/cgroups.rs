// SPDX-License-Identifier: GPL-2.0

//! Counts by cgroup: a bounded table for each CPU, in which the heaviest have rows of their own.
//!
//! Who has a row is decided in `policy/heaviest.rs`. A row that is given to another cgroup leaves
//! what it counted to `other`, or to `removed` if its cgroup is gone: all of a table together is
//! always what was counted.
//!
//! Context: a CPU's table is written by handlers on that CPU alone (task context, preemption
//! off), without a lock. A reader copies it, and does so again if a row was given away meanwhile.

mod known;

pub(crate) use known::{
    Known,
    Path, //
};

use crate::{
    kernel_ext::{
        cell::Cell64,
        compat,
        percpu::{
            pinned,
            PerCpuTable,
            Pinned, //
        },
    },
    policy::{
        cgroup_key::CgroupKey,
        heaviest::{
            place,
            Destination,
            Heir,
            Past,
            Rows, //
        },
    },
};
use core::cell::Cell;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use pin_init::Zeroable;

/// Rows of a CPU: more than a node has pods, of which a node of a cluster has 110 or 250.
pub(crate) const ROWS: usize = 256;

/// How often a reader begins anew with a CPU's table, as a row was given away meanwhile.
const TRIES: usize = 1000;

/// What is counted of one cgroup on one CPU; `N` counts. Which is whose is in `Cgroups::keys`.
#[derive(Zeroable)]
struct CgroupRow<const N: usize> {
    /// The rank at which it began.
    base: Cell64,
    /// The most that its cgroup counted before.
    missed: Cell64,
    /// What was counted, times.
    events: Cell64,
    /// Its cgroup's entry in `Known`, plus 1; 0: none.
    known: Cell64,
    counts: [Cell64; N],
}

/// What a CPU's table has beside its rows.
#[repr(align(64))]
#[derive(Zeroable)]
struct Rest<const N: usize> {
    /// Odd while a row is given away.
    given: Cell64,
    last: Cell64,
    floor: Cell64,
    newest: Cell64,
    swept: Cell64,
    /// Weight of what living ones left to `other` with their rows.
    left: Cell64,
    /// Of cgroups without a row, and of none.
    other: [Cell64; N],
    /// Of cgroups that are gone.
    removed: [Cell64; N],
}

/// The tables of all CPUs, with `N` counts for each cgroup.
pub(crate) struct Cgroups<const N: usize> {
    // Apart, as all of them may be looked at for one.
    keys: PerCpuTable<Cell64>,
    ranks: PerCpuTable<Cell64>,
    rows: PerCpuTable<CgroupRow<N>>,
    rest: PerCpuTable<Rest<N>>,
    known: Arc<Known>,
}

/// What could not be kept apart when something was counted.
#[derive(Clone, Copy, Default)]
pub(crate) struct CgroupLoss {
    /// What a living cgroup had counted, times, that lost its row for this.
    pub(crate) events: u64,
    /// The cgroup got a row, and it will not be noticed when it goes.
    pub(crate) unknown: bool,
}

impl CgroupLoss {
    /// Is there anything?
    pub(crate) fn any(&self) -> bool {
        self.events != 0 || self.unknown
    }
}

/// One CPU's.
struct Own<'a, const N: usize> {
    keys: &'a [Cell64],
    ranks: &'a [Cell64],
    rows: &'a [CgroupRow<N>],
    rest: &'a Rest<N>,
    known: &'a Known,
    not_kept: Cell<CgroupLoss>,
}

fn read(cells: &[Cell64], at: usize) -> u64 {
    cells.get(at).map_or(0, Cell64::get)
}

fn write(cells: &[Cell64], at: usize, value: u64) {
    if let Some(cell) = cells.get(at) {
        cell.set(value);
    }
}

impl<const N: usize> Own<'_, N> {
    /// What readers must not see half of.
    fn changes(&self, f: impl FnOnce()) {
        self.rest.given.add(1);
        compat::smp_wmb();
        f();
        compat::smp_wmb();
        self.rest.given.add(1);
    }
}

impl<const N: usize> Rows for Own<'_, N> {
    fn size(&self) -> usize {
        self.keys.len()
    }

    fn key(&self, at: usize) -> CgroupKey {
        CgroupKey(read(self.keys, at))
    }

    fn rank(&self, at: usize) -> u64 {
        read(self.ranks, at)
    }

    fn is_gone(&self, at: usize) -> bool {
        self.rows
            .get(at)
            .is_some_and(|row| self.known.is_gone(row.known.get()))
    }

    fn never_back(&self, key: CgroupKey) -> bool {
        self.known.never_back(key)
    }

    fn removals(&self) -> u64 {
        self.known.removals()
    }

    fn last(&self) -> usize {
        self.rest.last.get() as usize
    }

    fn set_last(&self, at: usize) {
        self.rest.last.set(at as u64);
    }

    fn past(&self) -> Past {
        Past {
            floor: self.rest.floor.get(),
            newest: self.rest.newest.get(),
            swept: self.rest.swept.get(),
        }
    }

    fn set_past(&self, past: Past) {
        self.rest.floor.set(past.floor);
        self.rest.newest.set(past.newest);
        self.rest.swept.set(past.swept);
    }

    fn give(&self, at: usize, heir: Option<Heir>, key: CgroupKey, base: u64, missed: u64) {
        let Some(row) = self.rows.get(at) else {
            return;
        };
        let known = self.known.hold(key);
        let events = match heir {
            Some(Heir::Other) => row.events.get(),
            _ => 0,
        };
        self.not_kept.set(CgroupLoss {
            events,
            unknown: known == 0,
        });
        let before = row.known.get();
        self.changes(|| {
            let heirs = match heir {
                Some(Heir::Removed) => &self.rest.removed,
                _ => &self.rest.other,
            };
            for (sum, cell) in heirs.iter().zip(&row.counts) {
                sum.add(cell.get());
                cell.set(0);
            }
            if heir == Some(Heir::Other) {
                let weight = self.rank(at).wrapping_sub(row.base.get());
                self.rest.left.add(weight);
            }
            row.events.set(0);
            row.base.set(base);
            row.missed.set(missed);
            row.known.set(known);
            write(self.ranks, at, base);
            write(self.keys, at, key.0);
        });
        // Not before: a reader would take the row for another one's that lives.
        self.known.release(before);
    }
}

impl<const N: usize> Cgroups<N> {
    /// Allocates. Sleeps.
    pub(crate) fn new(known: Arc<Known>) -> Result<Self> {
        Ok(Self {
            keys: PerCpuTable::new(ROWS)?,
            ranks: PerCpuTable::new(ROWS)?,
            rows: PerCpuTable::new(ROWS)?,
            rest: PerCpuTable::new(1)?,
            known,
        })
    }

    /// Counts something of a cgroup, `gone` if that has been removed; `weight` is what the
    /// heaviest are told by. `add` adds it to the counts.
    #[inline]
    pub(crate) fn count(
        &self,
        pin: &Pinned<'_>,
        key: CgroupKey,
        gone: bool,
        weight: u64,
        add: impl FnOnce(&[Cell64; N]),
    ) -> CgroupLoss {
        self.count_times(pin, key, gone, 1, weight, add)
    }

    /// The same, of what happened so many times, and weighs so much together.
    #[inline]
    pub(crate) fn count_times(
        &self,
        pin: &Pinned<'_>,
        key: CgroupKey,
        gone: bool,
        times: u64,
        weight: u64,
        add: impl FnOnce(&[Cell64; N]),
    ) -> CgroupLoss {
        let Some(rest) = self.rest.this(pin).first() else {
            return CgroupLoss::default();
        };
        let own = Own {
            keys: self.keys.this(pin),
            ranks: self.ranks.this(pin),
            rows: self.rows.this(pin),
            rest,
            known: &self.known,
            not_kept: Cell::default(),
        };
        let row = match place(&own, key, gone) {
            Destination::Row(at) => own.rows.get(at).zip(own.ranks.get(at)),
            Destination::Removed => {
                add(&rest.removed);
                return own.not_kept.get();
            }
            Destination::Other => None,
        };
        match row {
            Some((row, rank)) => {
                add(&row.counts);
                row.events.add(times);
                rank.add(weight);
            }
            None => add(&rest.other),
        }
        own.not_kept.get()
    }

    /// What all CPUs counted. Process context; sleeps.
    pub(crate) fn totals(&self) -> Result<Totals<N>> {
        let mut totals = Totals {
            cgroups: KVVec::new(),
            other: [0; N],
            removed: [0; N],
        };
        let mut pasts = KVVec::<(Past, u64)>::new();
        let mut copy = KVVec::<CgroupCounts<N>>::with_capacity(ROWS, GFP_KERNEL)?;
        let tables = Iterator::zip(
            Iterator::zip(self.keys.each(), self.rows.each()),
            self.rest.each(),
        );
        for ((keys, rows), rest) in tables {
            let Some(rest) = rest.first() else {
                continue;
            };
            let mut once = |_| self.copy(keys, rows, rest, &mut copy, &mut totals);
            let (past, left) = (0..TRIES).find_map(&mut once).ok_or(EAGAIN)?;
            pasts.push((past, left), GFP_KERNEL)?;
            for row in copy.iter() {
                totals.add(row, past.may_have(row.key).min(left))?;
            }
        }
        for total in totals.cgroups.iter_mut() {
            for (past, left) in pasts.iter() {
                let elsewhere = past.may_have(total.key).min(*left);
                total.missed = total.missed.wrapping_add(elsewhere);
            }
        }
        totals.fold_reused();
        Ok(totals)
    }

    /// Copies the rows of one CPU, and adds what has none; `None` if a row was given away
    /// meanwhile.
    fn copy(
        &self,
        keys: &[Cell64],
        rows: &[CgroupRow<N>],
        rest: &Rest<N>,
        copy: &mut KVVec<CgroupCounts<N>>,
        totals: &mut Totals<N>,
    ) -> Option<(Past, u64)> {
        copy.clear();
        // That a preempted reader need not begin again and again.
        pinned(|_| {
            let given = rest.given.get();
            compat::smp_rmb();
            let left = rest.left.get();
            for (key, row) in keys.iter().zip(rows) {
                let key = CgroupKey(key.get());
                if key == CgroupKey::NONE {
                    continue;
                }
                let mut total = CgroupCounts {
                    key,
                    counts: [0; N],
                    missed: row.missed.get().min(left),
                    removed: self.known.is_gone(row.known.get()),
                };
                sum(&mut total.counts, &row.counts);
                // There is room for all rows, so that nothing is allocated.
                copy.push_within_capacity(total).ok()?;
            }
            let (mut other, mut removed) = ([0; N], [0; N]);
            sum(&mut other, &rest.other);
            sum(&mut removed, &rest.removed);
            let past = Past {
                floor: rest.floor.get(),
                newest: rest.newest.get(),
                swept: 0,
            };
            compat::smp_rmb();
            if given % 2 != 0 || rest.given.get() != given {
                return None;
            }
            add(&mut totals.other, &other);
            add(&mut totals.removed, &removed);
            Some((past, left))
        })
    }

    /// Memory that the tables take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.keys
            .bytes()
            .saturating_add(self.ranks.bytes())
            .saturating_add(self.rows.bytes())
            .saturating_add(self.rest.bytes())
    }
}

/// What all CPUs counted of one cgroup.
pub(crate) struct CgroupCounts<const N: usize> {
    /// Which.
    pub(crate) key: CgroupKey,
    /// Its counts.
    pub(crate) counts: [u64; N],
    /// At most so much more weight is its own, among `other`.
    pub(crate) missed: u64,
    /// It has been removed.
    pub(crate) removed: bool,
}

/// What all CPUs counted.
pub(crate) struct Totals<const N: usize> {
    cgroups: KVVec<CgroupCounts<N>>,
    /// Of those that have none, and of none.
    pub(crate) other: [u64; N],
    /// Of those that are gone and have none.
    pub(crate) removed: [u64; N],
}

impl<const N: usize> Totals<N> {
    /// Those that have a row.
    pub(crate) fn cgroups(&self) -> impl Iterator<Item = &CgroupCounts<N>> {
        self.cgroups.iter().filter(|t| t.key != CgroupKey::NONE)
    }

    /// Adds one CPU's row. `otherwise` is what would be missed there without it.
    fn add(&mut self, row: &CgroupCounts<N>, otherwise: u64) -> Result {
        // An id of a v1 hierarchy may be another cgroup's by now.
        let same =
            |t: &CgroupCounts<N>| t.key == row.key && (!t.key.is_v1() || t.removed == row.removed);
        let at = match self.cgroups.iter().position(same) {
            Some(at) => at,
            None => {
                let total = CgroupCounts {
                    key: row.key,
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
        }
        Ok(())
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

fn sum<const N: usize>(sums: &mut [u64; N], cells: &[Cell64; N]) {
    for (sum, cell) in sums.iter_mut().zip(cells) {
        *sum = sum.wrapping_add(cell.get());
    }
}

fn add<const N: usize>(sums: &mut [u64; N], counts: &[u64; N]) {
    for (sum, n) in sums.iter_mut().zip(counts) {
        *sum = sum.wrapping_add(*n);
    }
}

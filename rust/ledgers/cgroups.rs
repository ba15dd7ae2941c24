// SPDX-License-Identifier: GPL-2.0

//! Counts by cgroup, or by something that belongs to a cgroup: a bounded table for each CPU, in
//! which the heaviest have rows of their own.
//!
//! `policy/heaviest.rs` chooses these. A row that is given to another cgroup leaves its counts to
//! `other`, or to `removed` if its cgroup has been removed. So the sum of a table is always all
//! that was counted.
//!
//! Context: any, with preemption off. Only handlers on a CPU write the table of that CPU, without a
//! lock. A handler in an interrupt that finds the table half changed counts for `other`. A reader
//! copies the table, and copies it again if a row was given away meanwhile.

mod known;
mod totals;

pub(crate) use known::{
    KnownCgroups,
    Path, //
};
pub(crate) use totals::{
    CgroupCounts,
    Totals, //
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
        system,
    },
    policy::{
        cgroup_key::CgroupKey,
        heaviest::{
            self,
            place,
            Destination,
            Heir,
            RowHistory,
            RowTable, //
        },
    },
};
use core::cell::Cell;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use pin_init::Zeroable;
use totals::{
    add,
    sum, //
};

/// Number of rows of each CPU. This is more than the pods of a node: a node of a cluster has 110 or
/// 250. With many CPUs there are fewer rows.
pub(crate) const ROWS: usize = 256;

/// Returns the number of rows of each CPU, in a table that has `most` of them if there are few
/// CPUs.
fn rows_per_cpu(most: usize) -> usize {
    heaviest::rows_per_cpu(most, system::nr_cpus())
}

/// Returns the number of rows of all CPUs in such a table.
pub(crate) fn total_rows(most: usize) -> usize {
    rows_per_cpu(most).saturating_mul(system::nr_cpus())
}

/// The most times that a reader begins anew with the table of a CPU, because a row was given away
/// meanwhile.
const TRIES: usize = 1000;

/// The `N` counts of one cgroup on one CPU. `Cgroups::keys` tells which cgroup that is.
#[derive(Zeroable)]
struct CgroupRow<const N: usize, const D: usize> {
    /// The rank at which the row began.
    base: Cell64,
    /// The most that its cgroup may have counted before.
    missed: Cell64,
    /// Number of events that were counted.
    events: Cell64,
    /// The entry of its cgroup in `KnownCgroups`, plus 1; 0 if there is none.
    known: Cell64,
    /// Details of its subject.
    details: [Cell64; D],
    counts: [Cell64; N],
}

/// The state of a CPU's table, apart from its rows.
#[repr(align(64))]
#[derive(Zeroable)]
struct TableState<const N: usize> {
    /// Whether a handler changes the table: 0 or 1.
    busy: Cell64,
    /// Odd while a row is given away.
    given: Cell64,
    last: Cell64,
    floor: Cell64,
    newest: Cell64,
    swept: Cell64,
    /// The weight of the counts that living cgroups left to `other` with their rows.
    left: Cell64,
    /// Counts of cgroups without a row, and of no cgroup.
    other: [Cell64; N],
    /// Counts of cgroups that have been removed.
    removed: [Cell64; N],
}

/// The tables of all CPUs, with `N` counts and `D` details for each cgroup.
pub(crate) struct Cgroups<const N: usize, const D: usize = 0> {
    // Keys and ranks are apart from the rows, because one event may search all of them.
    keys: PerCpuTable<Cell64>,
    ranks: PerCpuTable<Cell64>,
    rows: PerCpuTable<CgroupRow<N, D>>,
    state: PerCpuTable<TableState<N>>,
    known: Arc<KnownCgroups>,
}

/// The subject for which something is counted.
pub(crate) struct Subject {
    /// The owner of the row: a cgroup, or a word for something that belongs to a cgroup. The
    /// highest bit of such a word is set, as it is for a v1 cgroup, because neither tells how old
    /// it is.
    pub(crate) key: CgroupKey,
    /// The cgroup to which that belongs.
    pub(crate) cgroup: CgroupKey,
    /// Whether that cgroup has been removed.
    pub(crate) gone: bool,
}

/// Losses when something was counted: counts that could not be kept apart.
#[derive(Clone, Copy, Default)]
pub(crate) struct CgroupLoss {
    /// The number of events of living cgroups that are part of `other`: those that a cgroup had
    /// counted which lost its row for this, or those that came while the table was half changed.
    pub(crate) events: u64,
    /// Whether the cgroup got a row, but its removal will not be noticed.
    pub(crate) unknown: bool,
}

impl CgroupLoss {
    /// Whether there is any loss.
    pub(crate) fn any(&self) -> bool {
        self.events != 0 || self.unknown
    }
}

/// The table of one CPU, while something is counted.
struct CpuTable<'a, const N: usize, const D: usize, F: Fn() -> [u64; D]> {
    keys: &'a [Cell64],
    ranks: &'a [Cell64],
    rows: &'a [CgroupRow<N, D>],
    state: &'a TableState<N>,
    known: &'a KnownCgroups,
    subject: &'a Subject,
    details: F,
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

impl<const N: usize, const D: usize, F: Fn() -> [u64; D]> CpuTable<'_, N, D, F> {
    /// Runs `f`, which makes changes that readers must not see in part.
    fn update(&self, f: impl FnOnce()) {
        self.state.given.add(1);
        compat::smp_wmb();
        f();
        compat::smp_wmb();
        self.state.given.add(1);
    }
}

impl<const N: usize, const D: usize, F: Fn() -> [u64; D]> RowTable for CpuTable<'_, N, D, F> {
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

    fn is_gone_for_good(&self, key: CgroupKey) -> bool {
        self.known.is_gone_for_good(key)
    }

    fn removals(&self) -> u64 {
        self.known.removals()
    }

    fn last(&self) -> usize {
        self.state.last.get() as usize
    }

    fn set_last(&self, at: usize) {
        self.state.last.set(at as u64);
    }

    fn history(&self) -> RowHistory {
        RowHistory {
            floor: self.state.floor.get(),
            newest: self.state.newest.get(),
            swept: self.state.swept.get(),
        }
    }

    fn set_history(&self, history: RowHistory) {
        self.state.floor.set(history.floor);
        self.state.newest.set(history.newest);
        self.state.swept.set(history.swept);
    }

    fn give_row(&self, at: usize, heir: Option<Heir>, key: CgroupKey, base: u64, missed: u64) {
        let Some(row) = self.rows.get(at) else {
            return;
        };
        let cgroup = self.subject.cgroup;
        let known = match cgroup {
            CgroupKey::NONE => 0,
            cgroup => self.known.hold(cgroup),
        };
        let events = match heir {
            Some(Heir::Other) => row.events.get(),
            _ => 0,
        };
        self.not_kept.set(CgroupLoss {
            events,
            unknown: known == 0 && cgroup != CgroupKey::NONE,
        });
        let before = row.known.get();
        let details = (self.details)();
        self.update(|| {
            let heirs = match heir {
                Some(Heir::Removed) => &self.state.removed,
                _ => &self.state.other,
            };
            for (sum, cell) in heirs.iter().zip(&row.counts) {
                sum.add(cell.get());
                cell.set(0);
            }
            if heir == Some(Heir::Other) {
                let weight = self.rank(at).wrapping_sub(row.base.get());
                self.state.left.add(weight);
            }
            row.events.set(0);
            row.base.set(base);
            row.missed.set(missed);
            row.known.set(known);
            for (cell, &detail) in row.details.iter().zip(&details) {
                cell.set(detail);
            }
            write(self.ranks, at, base);
            write(self.keys, at, key.0);
        });
        // Not before the changes: a reader would take the row for that of another, living cgroup.
        self.known.release(before);
    }
}

impl<const N: usize, const D: usize> Cgroups<N, D> {
    /// Allocates the tables, with [`ROWS`]. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(known: Arc<KnownCgroups>) -> Result<Self> {
        Self::with_rows(ROWS, known)
    }

    /// Allocates the tables, with `most` rows for each CPU, a power of two, if there are few CPUs.
    /// Sleeps. Fails with `ENOMEM`.
    pub(crate) fn with_rows(most: usize, known: Arc<KnownCgroups>) -> Result<Self> {
        let rows = rows_per_cpu(most);
        Ok(Self {
            keys: PerCpuTable::new(rows)?,
            ranks: PerCpuTable::new(rows)?,
            rows: PerCpuTable::new(rows)?,
            state: PerCpuTable::new(1)?,
            known,
        })
    }

    /// Counts `times` events with a total `weight`, by which the heaviest subjects are chosen.
    /// `details` is called when a row is given to the subject. `add` adds the events to the counts,
    /// and may change the details of the row. The slice of details is empty if the subject has no
    /// row.
    #[inline]
    pub(crate) fn count_of(
        &self,
        pin: &Pinned<'_>,
        subject: &Subject,
        times: u64,
        weight: u64,
        details: impl Fn() -> [u64; D],
        add: impl FnOnce(&[Cell64; N], &[Cell64]),
    ) -> CgroupLoss {
        let Some(state) = self.state.this(pin).first() else {
            return CgroupLoss::default();
        };
        if state.busy.get() != 0 {
            state.left.add(weight);
            add(&state.other, &[]);
            return CgroupLoss {
                events: times,
                unknown: false,
            };
        }
        // Only an interrupt on this CPU comes in between. What is volatile stays in order.
        state.busy.set(1);
        let table = CpuTable {
            keys: self.keys.this(pin),
            ranks: self.ranks.this(pin),
            rows: self.rows.this(pin),
            state,
            known: &self.known,
            subject,
            details,
            not_kept: Cell::default(),
        };
        let destination = place(&table, subject.key, subject.gone);
        let row = match destination {
            Destination::Row(at) => table.rows.get(at).zip(table.ranks.get(at)),
            Destination::Removed | Destination::Other => None,
        };
        match (row, destination) {
            (Some((row, rank)), _) => {
                add(&row.counts, &row.details);
                row.events.add(times);
                rank.add(weight);
            }
            (None, Destination::Removed) => add(&state.removed, &[]),
            (None, _) => add(&state.other, &[]),
        }
        state.busy.set(0);
        table.not_kept.get()
    }

    /// Returns the counts of all CPUs. Process context; sleeps. Fails with `ENOMEM`, or with
    /// `EAGAIN` if rows were given away all the time.
    pub(crate) fn totals(&self) -> Result<Totals<N, D>> {
        let mut totals = Totals::new();
        let mut histories = KVVec::<(RowHistory, u64)>::new();
        let rows = self.keys.rows_per_cpu();
        let mut copy = KVVec::<CgroupCounts<N, D>>::with_capacity(rows, GFP_KERNEL)?;
        let tables = Iterator::zip(
            Iterator::zip(self.keys.all(), self.rows.all()),
            self.state.all(),
        );
        for ((keys, rows), state) in tables {
            let Some(state) = state.first() else {
                continue;
            };
            let mut once = |_| self.copy(keys, rows, state, &mut copy, &mut totals);
            let (history, left) = (0..TRIES).find_map(&mut once).ok_or(EAGAIN)?;
            histories.push((history, left), GFP_KERNEL)?;
            for row in copy.iter() {
                totals.add(row, history.may_have(row.key).min(left))?;
            }
        }
        totals.settle(&histories);
        Ok(totals)
    }

    /// Copies the rows of one CPU, and adds the counts without a row to `totals`. `None` if a row
    /// was given away meanwhile.
    fn copy(
        &self,
        keys: &[Cell64],
        rows: &[CgroupRow<N, D>],
        state: &TableState<N>,
        copy: &mut KVVec<CgroupCounts<N, D>>,
        totals: &mut Totals<N, D>,
    ) -> Option<(RowHistory, u64)> {
        copy.clear();
        // Preemption is off, because a reader that is preempted might have to begin again and
        // again.
        pinned(|_| {
            let given = state.given.get();
            compat::smp_rmb();
            let left = state.left.get();
            for (key, row) in keys.iter().zip(rows) {
                let key = CgroupKey(key.get());
                if key == CgroupKey::NONE {
                    continue;
                }
                let mut total = CgroupCounts {
                    key,
                    details: [0; D],
                    counts: [0; N],
                    missed: row.missed.get().min(left),
                    removed: self.known.is_gone(row.known.get()),
                };
                sum(&mut total.counts, &row.counts);
                for (detail, cell) in total.details.iter_mut().zip(&row.details) {
                    *detail = cell.get();
                }
                // There is room for all rows, so this allocates nothing.
                copy.push_within_capacity(total).ok()?;
            }
            let (mut other, mut removed) = ([0; N], [0; N]);
            sum(&mut other, &state.other);
            sum(&mut removed, &state.removed);
            let history = RowHistory {
                floor: state.floor.get(),
                newest: state.newest.get(),
                swept: 0,
            };
            compat::smp_rmb();
            if given % 2 != 0 || state.given.get() != given {
                return None;
            }
            add(&mut totals.other, &other);
            add(&mut totals.removed, &removed);
            Some((history, left))
        })
    }

    /// Returns the memory that the tables take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.keys
            .bytes()
            .saturating_add(self.ranks.bytes())
            .saturating_add(self.rows.bytes())
            .saturating_add(self.state.bytes())
    }
}

impl<const N: usize> Cgroups<N> {
    /// Counts an event of a cgroup. `gone` tells whether that has been removed.
    #[inline]
    pub(crate) fn count(
        &self,
        pin: &Pinned<'_>,
        cgroup: CgroupKey,
        gone: bool,
        weight: u64,
        add: impl FnOnce(&[Cell64; N]),
    ) -> CgroupLoss {
        self.count_times(pin, cgroup, gone, 1, weight, add)
    }

    /// Counts `times` events of a cgroup, which have this weight in total.
    #[inline]
    pub(crate) fn count_times(
        &self,
        pin: &Pinned<'_>,
        cgroup: CgroupKey,
        gone: bool,
        times: u64,
        weight: u64,
        add: impl FnOnce(&[Cell64; N]),
    ) -> CgroupLoss {
        let subject = Subject {
            key: cgroup,
            cgroup,
            gone,
        };
        self.count_of(pin, &subject, times, weight, || [], |counts, _| add(counts))
    }
}

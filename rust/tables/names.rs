// SPDX-License-Identifier: GPL-2.0

//! Two counts for each name of a task.
//!
//! Each CPU has an instance with a lock, which is only tried. Only a reader, or an interrupt, ever
//! contends for it. Context: any, with preemption off.

use crate::kernel_ext::{
    percpu::{
        pinned,
        PerCpu,
        Pinned, //
    },
    system,
    trylock::TryLock, //
};
use kernel::prelude::*;
use pin_init::Zeroable;

/// Number of names that a CPU can tell apart.
const NAMES: usize = 32;

/// The counts of a name.
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct NameCounts {
    /// The name of the task, NUL-terminated; empty if the row is free.
    pub(crate) comm: [u8; system::COMM_LEN],
    /// How often the name was noted; 0 if the row is free.
    pub(crate) times: u64,
    /// The sum of the amounts that were noted, in the unit of the ledger.
    pub(crate) amount: u64,
}

/// Compares two names without the call of a C function that a comparison of arrays is.
fn same(a: &[u8; system::COMM_LEN], b: &[u8; system::COMM_LEN]) -> bool {
    u128::from_ne_bytes(*a) == u128::from_ne_bytes(*b)
}

/// The instance of a CPU.
#[derive(Zeroable)]
struct NameRows {
    rows: TryLock<[NameCounts; NAMES]>,
}

/// The table of all CPUs.
pub(crate) struct TaskNames {
    rows: PerCpu<NameRows>,
}

impl TaskNames {
    /// Allocates the table. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            rows: PerCpu::new()?,
        })
    }

    /// Notes the current task `times` times, with `amount` in total. Returns false if there was no
    /// room, or if the lock was taken.
    pub(crate) fn note_current(&self, pin: &Pinned<'_>, times: u64, amount: u64) -> bool {
        self.note_task(pin, system::comm(), times, amount)
    }

    /// The same, of the task of this name.
    pub(crate) fn note_task(
        &self,
        pin: &Pinned<'_>,
        comm: [u8; system::COMM_LEN],
        times: u64,
        amount: u64,
    ) -> bool {
        let noted = self.rows.this(pin).rows.try_with(|rows| {
            let row = rows
                .iter_mut()
                .find(|r| same(&r.comm, &comm) || r.times == 0);
            match row {
                Some(row) => {
                    row.comm = comm;
                    row.times = row.times.wrapping_add(times);
                    row.amount = row.amount.wrapping_add(amount);
                    true
                }
                None => false,
            }
        });
        noted == Some(true)
    }

    /// Returns the sums of all CPUs. Process context; sleeps. Fails with `ENOMEM`.
    pub(crate) fn totals(&self) -> Result<KVVec<NameCounts>> {
        let mut totals = KVVec::<NameCounts>::new();
        for cpu in self.rows.all() {
            let rows = loop {
                if let Some(rows) = pinned(|_| cpu.rows.try_with(|rows| *rows)) {
                    break rows;
                }
            };
            for row in rows.iter().filter(|r| r.times != 0) {
                match totals.iter_mut().find(|t| same(&t.comm, &row.comm)) {
                    Some(total) => {
                        total.times = total.times.wrapping_add(row.times);
                        total.amount = total.amount.wrapping_add(row.amount);
                    }
                    None => totals.push(*row, GFP_KERNEL)?,
                }
            }
        }
        Ok(totals)
    }

    /// Returns the memory that the table uses, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes()
    }
}

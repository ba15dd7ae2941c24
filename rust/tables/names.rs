// SPDX-License-Identifier: GPL-2.0

//! Two counts by the name of a task.
//!
//! One instance per CPU, behind a lock that only a reader ever shares, but for interrupts:
//! it is only tried. Any context, with preemption off.

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

/// Names that a CPU tells apart.
const NAMES: usize = 32;

/// One name's counts.
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct Named {
    /// The task's name, NUL-terminated; empty: free.
    pub(crate) comm: [u8; system::COMM_LEN],
    /// How often; 0: free.
    pub(crate) times: u64,
    /// What the times sum up to, in units of the ledger.
    pub(crate) amount: u64,
}

/// Without the call of a C function that comparing arrays is.
fn same(a: &[u8; system::COMM_LEN], b: &[u8; system::COMM_LEN]) -> bool {
    u128::from_ne_bytes(*a) == u128::from_ne_bytes(*b)
}

/// Per-CPU instance.
#[derive(Zeroable)]
struct NameRows {
    rows: TryLock<[Named; NAMES]>,
}

/// The table.
pub(crate) struct TaskNames {
    rows: PerCpu<NameRows>,
}

impl TaskNames {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            rows: PerCpu::new()?,
        })
    }

    /// The current task, so often, with so much in all; false if it could not be noted.
    pub(crate) fn note(&self, pin: &Pinned<'_>, times: u64, amount: u64) -> bool {
        let comm = system::comm();
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

    /// What all CPUs noted. Process context; sleeps.
    pub(crate) fn totals(&self) -> Result<KVVec<Named>> {
        let mut totals = KVVec::<Named>::new();
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

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes()
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The tasks that take large blocks after compaction said that it made one, and before the task
//! that compacted is served, or is not.
//!
//! Whether a task took that very block is not known: each task that takes a block as large at that
//! time is a candidate. The table of names is one instance per CPU. The counters of tasks that wait
//! for a block are shared, and change only with each successful compaction.

use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::compaction::ORDERS,
    tables::names::{
        NameCounts,
        TaskNames, //
    },
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// The ledger of takers.
pub(crate) struct Takers {
    /// Blocks that were taken, by the name of the task, and how many of these in an interrupt, for
    /// whatever task.
    names: TaskNames,
    /// Number of tasks that compacted with success and do not have their block yet, by order.
    waiting: [Atomic<i32>; ORDERS],
}

impl Takers {
    /// Allocates the ledger. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            names: TaskNames::new()?,
            waiting: [const { Atomic::new(0) }; ORDERS],
        })
    }

    /// Notes (`change` is 1) that a task compacted with success for a block of `order`, or (-1)
    /// that it is known now what the task got.
    pub(crate) fn change_waiters(&self, order: u32, change: i32) {
        if let Some(n) = self.waiting.get((order as usize).min(ORDERS - 1)) {
            n.fetch_add(change, Relaxed);
        }
    }

    /// Whether a task waits for a block for which one of `order` would do.
    #[inline]
    pub(crate) fn is_wanted(&self, order: u32) -> bool {
        let until = (order as usize).min(ORDERS - 1);
        let smaller = self.waiting.get(..=until).unwrap_or(&[]);
        smaller.iter().any(|n| n.load(Relaxed) > 0)
    }

    /// Notes that the current task, or an interrupt on top of it, takes such a block. Returns false
    /// if that could not be noted.
    pub(crate) fn record_taken(&self, pin: &Pinned<'_>, interrupt: bool) -> bool {
        self.names.note_current(pin, 1, interrupt.into())
    }

    /// Returns the takers of blocks. Process context; sleeps. Fails with `ENOMEM`.
    pub(crate) fn totals(&self) -> Result<KVVec<NameCounts>> {
        self.names.totals()
    }

    /// Forgets the tasks that wait.
    pub(crate) fn clear(&self) {
        for n in &self.waiting {
            n.store(0, Relaxed);
        }
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.names.bytes()
    }
}

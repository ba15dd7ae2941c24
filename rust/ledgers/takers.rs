// SPDX-License-Identifier: GPL-2.0

//! Who takes large blocks between the moment in which compaction says that it made one and
//! that in which the task that compacted is served, or is not.
//!
//! Whether it was that very block is not known: whoever takes one as large at that time is
//! a candidate. The table is one instance per CPU; the counters of those who wait for a
//! block are shared, and change with each successful compaction only.

use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::compaction::ORDERS,
    tables::names::{
        Named,
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

/// All of it.
pub(crate) struct Takers {
    /// Blocks taken, and of these how many by interrupts, for whoever that was.
    names: TaskNames,
    /// Tasks that compacted with success and do not have their block yet, by order.
    waiting: [Atomic<i32>; ORDERS],
}

impl Takers {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            names: TaskNames::new()?,
            waiting: [const { Atomic::new(0) }; ORDERS],
        })
    }

    /// A task compacted, with success, for a block of that order, or (`-1`) it is known
    /// what came of that.
    pub(crate) fn waits(&self, order: u32, change: i32) {
        if let Some(n) = self.waiting.get((order as usize).min(ORDERS - 1)) {
            n.fetch_add(change, Relaxed);
        }
    }

    /// Someone waits for a block that one of `order` may be.
    #[inline]
    pub(crate) fn wanted(&self, order: u32) -> bool {
        let until = (order as usize).min(ORDERS - 1);
        let smaller = self.waiting.get(..=until).unwrap_or(&[]);
        smaller.iter().any(|n| n.load(Relaxed) > 0)
    }

    /// The current task, or what interrupts it, takes such a block; false if it could not
    /// be noted.
    pub(crate) fn takes(&self, pin: &Pinned<'_>, interrupt: bool) -> bool {
        self.names.note(pin, 1, interrupt.into())
    }

    /// Who took blocks. Process context; sleeps.
    pub(crate) fn totals(&self) -> Result<KVVec<Named>> {
        self.names.totals()
    }

    /// Nobody waits: what was under way is forgotten.
    pub(crate) fn clear(&self) {
        for n in &self.waiting {
            n.store(0, Relaxed);
        }
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.names.bytes()
    }
}

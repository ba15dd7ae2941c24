// SPDX-License-Identifier: GPL-2.0

//! Has a task waited for its turn before, for the same page?
//!
//! A page fault may have to reclaim several times: the pages that it freed are for all, and
//! others were quicker. If it queued behind newcomers each time, the unlucky ones would take
//! several times as long as the others. So a task that comes back in the same fault goes before
//! those that have not waited yet.
//!
//! A fault is told by the number of faults that the task has had, which the kernel counts when
//! one is over. An allocation outside of a fault can't be told from the one before it, so that a
//! task goes before others only so many times in a row.

use core::ops::DerefMut;

/// So many turns in a row at most, after the first one of a fault.
pub const TURNS: u32 = 4;

/// What is known of a task.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    /// An opaque key; 0: the row is free.
    task: usize,
    /// The faults that it had had when it waited last.
    faults: u32,
    /// The turns that it has had since it waited as a newcomer, with that one.
    turns: u32,
}

/// The tasks that waited of late. Two that share a row forget each other: the one then waits as a
/// newcomer. `S` is the memory; it never grows.
pub struct Returning<S>(S);

impl<S: DerefMut<Target = [Row]>> Returning<S> {
    /// Nobody has waited.
    pub const fn new(rows: S) -> Self {
        Self(rows)
    }

    fn row(&mut self, task: usize) -> Option<&mut Row> {
        // Fibonacci hashing; the low bits of a task's address are alike.
        let hash = (task as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let rows = self.0.len();
        let at = (hash as usize).checked_rem(rows)?;
        self.0.get_mut(at)
    }

    /// A task that has had so many faults is to wait: has it waited before in this one? To be
    /// asked once for each time that it waits.
    pub fn comes(&mut self, task: usize, faults: u32) -> bool {
        let Some(row) = self.row(task) else {
            return false;
        };
        if row.task == task && row.faults == faults && row.turns <= TURNS {
            row.turns = row.turns.saturating_add(1);
            return true;
        }
        *row = Row {
            task,
            faults,
            turns: 1,
        };
        false
    }
}

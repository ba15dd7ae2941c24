// SPDX-License-Identifier: GPL-2.0

//! Tells whether a task has waited for its turn before, for the same page.
//!
//! A page fault may have to reclaim several times, because the pages that it freed are for all, and
//! other tasks may have been quicker. If it queued behind newcomers each time, the unlucky tasks
//! would take several times as long as the others. So a task that comes back in the same fault goes
//! before those that have not waited yet.
//!
//! A fault is known by the number of faults that the task has had, which the kernel counts when a
//! fault is over. An allocation outside of a fault can't be told from the one before it. So a task
//! goes before others only a limited number of times in a row.

use core::ops::DerefMut;

/// The most turns in a row, after the first one of a fault.
pub const TURNS: u32 = 4;

/// What is known of a task that waited.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReturningTask {
    /// The task, as an opaque key; 0 if the row is free.
    task: usize,
    /// The number of faults that it had had when it waited last.
    faults: u32,
    /// The number of turns that it has had since it waited as a newcomer, including that one.
    turns: u32,
}

/// The tasks that waited of late. If two tasks share a row, each makes the table forget the other,
/// which then waits as a newcomer. `S` is the memory, which never grows.
pub struct Returning<S>(S);

impl<S: DerefMut<Target = [ReturningTask]>> Returning<S> {
    /// Creates a table in which no task has waited.
    pub const fn new(rows: S) -> Self {
        Self(rows)
    }

    fn row(&mut self, task: usize) -> Option<&mut ReturningTask> {
        // This is Fibonacci hashing, because the low bits of the addresses of tasks are alike.
        let hash = (task as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let rows = self.0.len();
        let at = (hash as usize).checked_rem(rows)?;
        self.0.get_mut(at)
    }

    /// Notes that a task is about to wait that has had `faults` faults, and returns whether it goes
    /// before newcomers: it has waited before in the same fault, and has had no more than [`TURNS`]
    /// turns. To be called once for each time that the task waits.
    pub fn note_waiter(&mut self, task: usize, faults: u32) -> bool {
        let Some(row) = self.row(task) else {
            return false;
        };
        if row.task == task && row.faults == faults && row.turns <= TURNS {
            row.turns = row.turns.saturating_add(1);
            return true;
        }
        *row = ReturningTask {
            task,
            faults,
            turns: 1,
        };
        false
    }
}

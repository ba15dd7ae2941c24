// SPDX-License-Identifier: GPL-2.0

//! A bounded table of what is known of tasks, keyed by task.
//!
//! Its keys lie together, so that a task that is not in it is found missing with a look
//! at one or two cache lines. Of an empty table only the count of tasks is looked at:
//! context switches ask.
//!
//! A task's entry is used by the task itself, or by the CPU that switches to or from it,
//! so by one CPU at a time; the lock that it has is never contended.
//!
//! Context: any, with preemption off; takes no lock but by trying.

use crate::{
    kernel_ext::{
        cell::peek,
        percpu::Pinned,
        trylock::TryLock, //
    },
    policy::slots, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
};

/// On a cache line of its own: it changes with each task that comes or goes.
#[repr(align(64))]
struct Used(Atomic<usize>);

/// The table.
pub(crate) struct Tasks<T> {
    keys: KVVec<Atomic<usize>>,
    values: KVVec<TryLock<T>>,
    used: Used,
}

impl<T: Send + Copy> Tasks<T> {
    /// Allocates a table of `len` entries, a power of two. Sleeps.
    pub(crate) fn new(len: usize, empty: T) -> Result<Self> {
        let mut keys = KVVec::with_capacity(len, GFP_KERNEL)?;
        let mut values = KVVec::with_capacity(len, GFP_KERNEL)?;
        for _ in 0..len {
            keys.push(Atomic::new(0), GFP_KERNEL)?;
            values.push(TryLock::new(empty), GFP_KERNEL)?;
        }
        Ok(Self {
            keys,
            values,
            used: Used(Atomic::new(0)),
        })
    }

    /// No task is in it.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        peek(&self.used.0) == 0
    }

    /// Tasks that are in it.
    pub(crate) fn len(&self) -> usize {
        peek(&self.used.0)
    }

    /// Where it is counted how many tasks are in it, for C.
    pub(crate) fn used(&self) -> &Atomic<usize> {
        &self.used.0
    }

    fn places(&self, task: usize) -> impl Iterator<Item = (usize, &Atomic<usize>)> {
        // A task_struct is cache-line aligned: its low bits say nothing.
        slots::probe_sequence((task >> 6) as u64, self.keys.len())
            .filter_map(|i| Some((i, self.keys.get(i)?)))
    }

    fn find(&self, task: usize) -> Option<(usize, &Atomic<usize>)> {
        self.places(task).find(|(_, key)| peek(key) == task)
    }

    /// Runs `f` on what is known of `task`; `None` if it is not in the table.
    pub(crate) fn with<R>(
        &self,
        _: &Pinned<'_>,
        task: usize,
        f: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        if self.is_empty() {
            return None;
        }
        let (i, _) = self.find(task)?;
        self.values.get(i)?.try_with(f)
    }

    /// Puts `task`, which is not in the table, into it; false when there is no room.
    pub(crate) fn insert(&self, _: &Pinned<'_>, task: usize, value: T) -> bool {
        let free = self
            .places(task)
            .find(|(_, key)| peek(key) == 0 && key.cmpxchg(0, task, Acquire).is_ok());
        let Some((i, key)) = free else {
            return false;
        };
        self.used.0.fetch_add(1, Relaxed);
        let there = self.values.get(i).and_then(|v| v.try_with(|v| *v = value));
        if there.is_none() {
            self.free(key, task);
        }
        there.is_some()
    }

    /// Takes `task` out.
    pub(crate) fn remove(&self, _: &Pinned<'_>, task: usize) -> Option<T> {
        let (i, key) = self.find(task)?;
        let value = self.values.get(i)?.try_with(|v| *v);
        self.free(key, task);
        value
    }

    fn free(&self, key: &Atomic<usize>, task: usize) {
        // Once, though the task itself and `clear()` may both want to.
        if key.cmpxchg(task, 0, Release).is_ok() {
            self.used.0.fetch_sub(1, Relaxed);
        }
    }

    /// Takes all tasks out.
    pub(crate) fn clear(&self) {
        for key in self.keys.iter() {
            match key.load(Relaxed) {
                0 => {}
                task => self.free(key, task),
            }
        }
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.keys.as_slice())
            .saturating_add(core::mem::size_of_val(self.values.as_slice()))
    }
}

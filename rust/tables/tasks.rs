// SPDX-License-Identifier: GPL-2.0

//! A bounded table with an entry for each task, keyed by task.
//!
//! Its keys lie together. So one or two cache lines tell that a task is not in the table. If the
//! table is empty, only the number of its tasks is read, because the handler of context switches
//! uses it.
//!
//! The entry of a task is used by the task itself, or by the CPU that switches to or from it, so by
//! one CPU at a time. So its lock is never contended.
//!
//! Context: any, with preemption off. Locks: only a `TryLock`.

use crate::{
    kernel_ext::{
        cell::peek,
        percpu::Pinned,
        trylock::TryLock, //
    },
    policy::slots,
    tables::farthest::Farthest, //
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

/// The number of tasks in the table. It has a cache line of its own, because it changes with each
/// task that is inserted or removed.
#[repr(align(64))]
struct TaskCount(Atomic<usize>);

/// The table.
pub(crate) struct Tasks<T> {
    keys: KVVec<Atomic<usize>>,
    values: KVVec<TryLock<T>>,
    used: TaskCount,
    farthest: Farthest,
}

impl<T: Send + Copy> Tasks<T> {
    /// Allocates a table of `len` entries, a power of two. Sleeps. Fails with `ENOMEM`.
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
            used: TaskCount(Atomic::new(0)),
            farthest: Farthest::new(),
        })
    }

    /// Whether no task is in the table.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        peek(&self.used.0) == 0
    }

    /// Returns the number of tasks in the table.
    pub(crate) fn len(&self) -> usize {
        peek(&self.used.0)
    }

    /// Returns the counter of the tasks in the table, for C.
    pub(crate) fn counter(&self) -> &Atomic<usize> {
        &self.used.0
    }

    fn places(&self, task: usize) -> impl Iterator<Item = (usize, &Atomic<usize>)> {
        // A task_struct is aligned to a cache line, so its low bits are always the same.
        slots::probe_sequence((task >> 6) as u64, self.keys.len())
            .filter_map(|i| Some((i, self.keys.get(i)?)))
    }

    fn find(&self, task: usize) -> Option<(usize, &Atomic<usize>)> {
        self.places(task)
            .take(self.farthest.places())
            .find(|(_, key)| peek(key) == task)
    }

    /// Whether `task` is in the table.
    #[inline]
    pub(crate) fn contains(&self, _: &Pinned<'_>, task: usize) -> bool {
        !self.is_empty() && self.find(task).is_some()
    }

    /// Runs `f` on the entry of `task`; `None` if the task is not in the table.
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

    /// Inserts `task`, which is not in the table. Returns false if there is no room.
    pub(crate) fn insert(&self, pin: &Pinned<'_>, task: usize, value: T) -> bool {
        self.insert_with(pin, task, |there| *there = value)
    }

    /// The same, where `f` makes the value in its place, of any other.
    pub(crate) fn insert_with(&self, _: &Pinned<'_>, task: usize, f: impl FnOnce(&mut T)) -> bool {
        let free = self
            .places(task)
            .enumerate()
            .find(|(_, (_, key))| peek(key) == 0 && key.cmpxchg(0, task, Acquire).is_ok());
        let Some((distance, (i, key))) = free else {
            return false;
        };
        // The task itself, or the CPU that switches it, looks for it after this.
        self.farthest.note(distance);
        self.used.0.fetch_add(1, Relaxed);
        let there = self.values.get(i).and_then(|v| v.try_with(f));
        if there.is_none() {
            self.free(key, task);
        }
        there.is_some()
    }

    /// Removes `task`, and returns its entry; `None` if the task is not in the table.
    pub(crate) fn remove(&self, pin: &Pinned<'_>, task: usize) -> Option<T> {
        self.remove_with(pin, task, |there| *there)
    }

    /// The same, when `f` is through with what is known of it.
    pub(crate) fn remove_with<R>(
        &self,
        _: &Pinned<'_>,
        task: usize,
        f: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        let (i, key) = self.find(task)?;
        let r = self.values.get(i)?.try_with(f);
        self.free(key, task);
        r
    }

    fn free(&self, key: &Atomic<usize>, task: usize) {
        // Only one succeeds if the task itself and `clear()` do this at the same time.
        if key.cmpxchg(task, 0, Release).is_ok() {
            self.used.0.fetch_sub(1, Relaxed);
        }
    }

    /// Removes all tasks.
    pub(crate) fn clear(&self) {
        for key in self.keys.iter() {
            match key.load(Relaxed) {
                0 => {}
                task => self.free(key, task),
            }
        }
    }

    /// Returns the memory that the table uses, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.keys.as_slice())
            .saturating_add(core::mem::size_of_val(self.values.as_slice()))
    }
}

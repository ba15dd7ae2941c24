// SPDX-License-Identifier: GPL-2.0

//! The cgroups that have rows: whether they have been removed, and where they were then.
//!
//! One table for all CPUs. An entry is held by each row of its cgroup, and may be another's once
//! nobody holds it. Rows look at it without a lock; whoever removes a cgroup (`cgroup_mutex` held,
//! interrupts off) finds it by its id.
//!
//! Locks: a path's, which is only tried.

use crate::{
    kernel_ext::{
        cell::peek,
        percpu::pinned,
        trylock::TryLock, //
    },
    policy::{
        cgroup_key::CgroupKey,
        slots, //
    },
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

/// Cgroups that are known at a time.
const KNOWN: usize = 2048;

/// Room for the end of a path: of a container of Kubernetes it is all of it.
const PATH: usize = 208;

/// The end of a path.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    len: usize,
    bytes: [u8; PATH],
}

impl Path {
    /// An empty one.
    pub(crate) const NONE: Self = Self {
        len: 0,
        bytes: [0; PATH],
    };

    /// Of a path that is too long the end is kept, which tells more.
    fn set(&mut self, path: &[u8]) {
        let (dots, rest): (&[u8], &[u8]) = match path.len().checked_sub(PATH) {
            None | Some(0) => (b"", path),
            Some(over) => (b"..", path.get(over.saturating_add(2)..).unwrap_or(b"")),
        };
        self.len = 0;
        for (to, from) in self
            .bytes
            .iter_mut()
            .zip(Iterator::chain(dots.iter(), rest))
        {
            *to = *from;
            self.len = self.len.saturating_add(1);
        }
    }

    /// As text; `None`: it is not known, or no text.
    fn text(&self) -> Option<&str> {
        let text = core::str::from_utf8(self.bytes.get(..self.len)?).ok()?;
        (!text.is_empty()).then_some(text)
    }
}

struct Entry {
    /// Rows, and who looks at it just now; -1: it becomes another's.
    holders: Atomic<i32>,
    /// It has been removed.
    gone: Atomic<i32>,
    key: Atomic<u64>,
    path: TryLock<Path>,
}

impl Entry {
    /// Holds it, if it is that cgroup's.
    fn hold(&self, key: CgroupKey) -> bool {
        let mut holders = peek(&self.holders);
        while peek(&self.key) == key.0 && holders > 0 {
            match self
                .holders
                .cmpxchg(holders, holders.wrapping_add(1), Acquire)
            {
                // It may have become another's just before.
                Ok(_) if peek(&self.key) == key.0 => return true,
                Ok(_) => {
                    self.release();
                    return false;
                }
                Err(now) => holders = now,
            }
        }
        false
    }

    fn release(&self) {
        self.holders.fetch_sub(1, Release);
    }

    fn is_gone(&self) -> bool {
        peek(&self.gone) != 0
    }
}

/// The table.
pub(crate) struct Known {
    entries: KVVec<Entry>,
    removals: Atomic<u64>,
}

impl Known {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        let mut entries = KVVec::with_capacity(KNOWN, GFP_KERNEL)?;
        for _ in 0..KNOWN {
            let entry = Entry {
                holders: Atomic::new(0),
                gone: Atomic::new(0),
                key: Atomic::new(0),
                path: TryLock::new(Path::NONE),
            };
            entries.push(entry, GFP_KERNEL)?;
        }
        Ok(Self {
            entries,
            removals: Atomic::new(0),
        })
    }

    fn places(&self, key: CgroupKey) -> impl Iterator<Item = (usize, &Entry)> {
        slots::probe_sequence(key.0, self.entries.len())
            .filter_map(|i| Some((i, self.entries.get(i)?)))
    }

    /// Holds a living cgroup's entry for a row: its number plus 1; 0: there is no room. Any
    /// context, preemption off. (Two CPUs may make an entry each: both are found.)
    pub(super) fn hold(&self, key: CgroupKey) -> u64 {
        for (i, entry) in self.places(key) {
            if entry.hold(key) {
                // An id of a v1 hierarchy: the entry is of another cgroup that had it.
                if !entry.is_gone() {
                    return (i as u64).wrapping_add(1);
                }
                entry.release();
            }
        }
        for (i, entry) in self.places(key) {
            let free = peek(&entry.holders) == 0;
            if free && entry.holders.cmpxchg(0, -1, Acquire).is_ok() {
                entry.key.store(key.0, Relaxed);
                entry.gone.store(0, Relaxed);
                // Nobody else is at it.
                entry.path.try_with(|p| *p = Path::NONE);
                entry.holders.store(1, Release);
                return (i as u64).wrapping_add(1);
            }
        }
        0
    }

    /// A row does not hold it any more.
    pub(super) fn release(&self, known: u64) {
        if let Some(entry) = self.entry(known) {
            entry.release();
        }
    }

    fn entry(&self, known: u64) -> Option<&Entry> {
        self.entries.get((known as usize).checked_sub(1)?)
    }

    /// Has the cgroup of a row been removed?
    pub(super) fn is_gone(&self, known: u64) -> bool {
        self.entry(known).is_some_and(Entry::is_gone)
    }

    /// It has been removed, and its id does not come back.
    pub(super) fn never_back(&self, key: CgroupKey) -> bool {
        !key.is_v1() && self.places(key).any(|(_, e)| gone(e, key))
    }

    /// Cgroups with rows that were removed, so far.
    pub(super) fn removals(&self) -> u64 {
        self.removals.load(Acquire)
    }

    /// A cgroup is removed, whose path is this. Any context, preemption off.
    pub(crate) fn removed(&self, key: CgroupKey, path: &[u8]) {
        let mut known = false;
        for (_, entry) in self.places(key) {
            if !entry.hold(key) {
                continue;
            }
            // A reader that is at it costs the path.
            if !entry.is_gone() && entry.path.try_with(|p| p.set(path)).is_none() {
                pr_debug!("the path of a removed cgroup was not kept\n");
            }
            entry.gone.store(1, Release);
            entry.release();
            known = true;
        }
        if known {
            self.removals.fetch_add(1, Release);
        }
    }

    /// Where a cgroup was when it was removed. Process context.
    pub(crate) fn path<'a>(&self, key: CgroupKey, path: &'a mut Path) -> Option<&'a str> {
        *path = Path::NONE;
        for (_, entry) in self.places(key).filter(|(_, e)| gone(e, key)) {
            if entry.hold(key) {
                pinned(|_| entry.path.try_with(|p| *path = *p));
                entry.release();
            }
        }
        path.text()
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.entries.as_slice())
    }
}

fn gone(entry: &Entry, key: CgroupKey) -> bool {
    peek(&entry.key) == key.0 && peek(&entry.holders) > 0 && entry.is_gone()
}

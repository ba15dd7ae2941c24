// SPDX-License-Identifier: GPL-2.0

//! The cgroups that have rows: whether they have been removed, and where they were then.
//!
//! One table for all CPUs. An entry is held by each row of its cgroup, and may be another's once
//! nobody holds it; there are more entries than rows. Rows look at it without a lock; whoever
//! removes a cgroup (`cgroup_mutex` held, interrupts off) finds it by its id.
//!
//! A cgroup may be removed between a handler's look at it and its first row. So removals are noted
//! before entries are looked for, and an entry is made before removals are looked at: one of the
//! two sees the other. (Not for v1 cgroups, whose ids come back.)
//!
//! Locks: a path's, which is only tried.

use crate::{
    kernel_ext::{
        cell::peek,
        compat,
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

/// Entries for each row, so that a free one is found in a few places. (Most rows of one CPU are
/// of cgroups that have rows on others, too.)
const SPARE: usize = 2;

/// Removed cgroups whose paths are kept: the last ones that had rows.
const PATHS: usize = 1024;

/// Removals that a handler looks at when it gives a row to a cgroup: the last ones.
const RECENT: usize = 64;

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
}

/// Where a removed cgroup was.
struct LastPath {
    /// Its key; 0: none.
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
    /// Keys of the last cgroups that were removed, with rows or without, and how many they were
    /// in all. Removals come one at a time.
    recent: [Atomic<u64>; RECENT],
    noted: Atomic<u64>,
    paths: KVVec<LastPath>,
    /// Paths that were kept in all.
    kept: Atomic<u64>,
}

impl Known {
    /// Allocates, for so many rows. Sleeps.
    pub(crate) fn new(rows: usize) -> Result<Self> {
        let len = rows.saturating_mul(SPARE).checked_next_power_of_two();
        let len = len.ok_or(EINVAL)?;
        let mut entries = KVVec::with_capacity(len, GFP_KERNEL)?;
        for _ in 0..len {
            let entry = Entry {
                holders: Atomic::new(0),
                gone: Atomic::new(0),
                key: Atomic::new(0),
            };
            entries.push(entry, GFP_KERNEL)?;
        }
        let mut paths = KVVec::with_capacity(PATHS, GFP_KERNEL)?;
        for _ in 0..PATHS {
            let none = LastPath {
                key: Atomic::new(0),
                path: TryLock::new(Path::NONE),
            };
            paths.push(none, GFP_KERNEL)?;
        }
        Ok(Self {
            entries,
            removals: Atomic::new(0),
            recent: [const { Atomic::new(0) }; RECENT],
            noted: Atomic::new(0),
            paths,
            kept: Atomic::new(0),
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
                entry.holders.store(1, Release);
                // Pairs with that of `removed()`.
                compat::smp_mb();
                if self.just_removed(key) {
                    entry.gone.store(1, Release);
                    self.removals.fetch_add(1, Release);
                }
                return (i as u64).wrapping_add(1);
            }
        }
        0
    }

    /// It was removed a moment ago, when it may have had no entry yet.
    fn just_removed(&self, key: CgroupKey) -> bool {
        !key.is_v1() && self.recent.iter().any(|removed| peek(removed) == key.0)
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

    /// A cgroup is removed, whose path was this. Any context, preemption off; one at a time.
    pub(crate) fn removed(&self, key: CgroupKey, path: &[u8]) {
        let n = peek(&self.noted);
        if let Some(place) = self.recent.get(n as usize % RECENT) {
            place.store(key.0, Relaxed);
        }
        self.noted.store(n.wrapping_add(1), Relaxed);
        // Pairs with that of `hold()`.
        compat::smp_mb();
        let mut known = false;
        for (_, entry) in self.places(key) {
            if entry.hold(key) {
                entry.gone.store(1, Release);
                entry.release();
                known = true;
            }
        }
        if known {
            self.keep(key, path);
            self.removals.fetch_add(1, Release);
        }
    }

    fn keep(&self, key: CgroupKey, path: &[u8]) {
        let n = peek(&self.kept);
        let Some(place) = self.paths.get(n as usize % PATHS) else {
            return;
        };
        place.key.store(key.0, Relaxed);
        // A reader that is at it costs the path.
        if place.path.try_with(|p| p.set(path)).is_none() {
            place.key.store(0, Relaxed);
            pr_debug!("the path of a removed cgroup was not kept\n");
        }
        self.kept.store(n.wrapping_add(1), Relaxed);
    }

    /// Where a cgroup was when it was removed. Process context.
    pub(crate) fn path<'a>(&self, key: CgroupKey, path: &'a mut Path) -> Option<&'a str> {
        *path = Path::NONE;
        // The last one that had the key: the newest are before `kept`, and go round.
        let (older, newer) = self
            .paths
            .split_at_checked(self.kept.load(Relaxed) as usize % PATHS)?;
        let mut found = Iterator::chain(newer.iter(), older).filter(|p| peek(&p.key) == key.0);
        if let Some(place) = found.next_back() {
            pinned(|_| {
                place.path.try_with(|p| {
                    if peek(&place.key) == key.0 {
                        *path = *p;
                    }
                })
            });
        }
        path.text()
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.entries.as_slice())
            .saturating_add(core::mem::size_of_val(self.paths.as_slice()))
    }
}

fn gone(entry: &Entry, key: CgroupKey) -> bool {
    peek(&entry.key) == key.0 && peek(&entry.holders) > 0 && entry.is_gone()
}

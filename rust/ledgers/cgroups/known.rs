// SPDX-License-Identifier: GPL-2.0

//! The cgroups that have rows: whether they have been removed, and their paths at that time.
//!
//! All CPUs share one table. Each row of a cgroup holds the entry of the cgroup. When nobody holds
//! it, the entry may be given to another cgroup. There are more entries than rows. Rows look at
//! their entry without a lock. A task that removes a cgroup (with `cgroup_mutex`, interrupts off)
//! finds the entry by the id.
//!
//! A cgroup may be removed after a handler looked at it and before it gets its first row. So a
//! removal is noted before entries are searched, and an entry is made before removals are searched.
//! Then one side sees the other. (This is not so for v1 cgroups, because their ids are used again.)
//!
//! Locks: the lock of a path, which is only tried.

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

/// Number of entries for each row, so that few places must be searched for a free one. (Most rows
/// of a CPU are of cgroups that have rows on other CPUs, too.)
const SPARE: usize = 2;

/// Number of removed cgroups whose paths are kept: the last ones that had rows.
const PATHS: usize = 1024;

/// Number of removals at which a handler looks when it gives a row to a cgroup: the last ones.
const RECENT: usize = 64;

/// Room for the end of a path, in bytes. The path of a Kubernetes container fits as a whole.
const PATH: usize = 208;

/// The end of a path.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    len: usize,
    bytes: [u8; PATH],
}

impl Path {
    /// An empty path.
    pub(crate) const NONE: Self = Self {
        len: 0,
        bytes: [0; PATH],
    };

    /// Keeps a path. If it is too long, its end is kept, which tells more than its begin.
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

    /// Returns the path as text; `None` if it is not known, or is not text.
    fn text(&self) -> Option<&str> {
        let text = core::str::from_utf8(self.bytes.get(..self.len)?).ok()?;
        (!text.is_empty()).then_some(text)
    }
}

struct KnownCgroup {
    /// Number of rows, and of others that use the entry at this time; -1 while the entry is given
    /// to a cgroup.
    holders: Atomic<i32>,
    /// Whether the cgroup has been removed: 0 or 1.
    gone: Atomic<i32>,
    key: Atomic<u64>,
}

/// The path of a cgroup when it was removed.
struct LastPath {
    /// The key of the cgroup; 0 if the place is free.
    key: Atomic<u64>,
    path: TryLock<Path>,
}

impl KnownCgroup {
    /// Holds the entry, if it belongs to that cgroup.
    fn hold(&self, key: CgroupKey) -> bool {
        let mut holders = peek(&self.holders);
        while peek(&self.key) == key.0 && holders > 0 {
            match self
                .holders
                .cmpxchg(holders, holders.wrapping_add(1), Acquire)
            {
                // The entry may have been given to another cgroup just before.
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
pub(crate) struct KnownCgroups {
    entries: KVVec<KnownCgroup>,
    removals: Atomic<u64>,
    /// The keys of the last cgroups that were removed, with or without rows, and the number of all
    /// removals. Removals come one at a time.
    recent: [Atomic<u64>; RECENT],
    noted: Atomic<u64>,
    paths: KVVec<LastPath>,
    /// Number of paths that were kept so far.
    kept: Atomic<u64>,
}

impl KnownCgroups {
    /// Allocates the table for so many rows. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(rows: usize) -> Result<Self> {
        let len = rows.saturating_mul(SPARE).checked_next_power_of_two();
        let len = len.ok_or(EINVAL)?;
        let mut entries = KVVec::with_capacity(len, GFP_KERNEL)?;
        for _ in 0..len {
            let entry = KnownCgroup {
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

    fn places(&self, key: CgroupKey) -> impl Iterator<Item = (usize, &KnownCgroup)> {
        slots::probe_sequence(key.0, self.entries.len())
            .filter_map(|i| Some((i, self.entries.get(i)?)))
    }

    /// Holds the entry of a living cgroup for a row. Returns the number of the entry, plus 1; 0 if
    /// there is no room. Any context, preemption off. (Two CPUs may make an entry each. Both are
    /// found.)
    pub(super) fn hold(&self, key: CgroupKey) -> u64 {
        for (i, entry) in self.places(key) {
            if entry.hold(key) {
                // The id is of a v1 hierarchy, and the entry belongs to a cgroup that had it
                // before.
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
                // Pairs with the barrier in `removed()`.
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

    /// Whether the cgroup was removed a moment ago, when it may have had no entry yet.
    fn just_removed(&self, key: CgroupKey) -> bool {
        !key.is_v1() && self.recent.iter().any(|removed| peek(removed) == key.0)
    }

    /// Ends the hold of a row.
    pub(super) fn release(&self, known: u64) {
        if let Some(entry) = self.entry(known) {
            entry.release();
        }
    }

    fn entry(&self, known: u64) -> Option<&KnownCgroup> {
        self.entries.get((known as usize).checked_sub(1)?)
    }

    /// Whether the cgroup of a row has been removed.
    pub(super) fn is_gone(&self, known: u64) -> bool {
        self.entry(known).is_some_and(KnownCgroup::is_gone)
    }

    /// Whether the cgroup has been removed, and its id will not be used again.
    pub(super) fn is_gone_for_good(&self, key: CgroupKey) -> bool {
        !key.is_v1() && self.places(key).any(|(_, e)| gone(e, key))
    }

    /// Returns the number of cgroups with rows that have been removed so far.
    pub(super) fn removals(&self) -> u64 {
        self.removals.load(Acquire)
    }

    /// Notes that a cgroup is removed, which had this path. Any context, preemption off; one caller
    /// at a time.
    pub(crate) fn removed(&self, key: CgroupKey, path: &[u8]) {
        let n = peek(&self.noted);
        if let Some(place) = self.recent.get(n as usize % RECENT) {
            place.store(key.0, Relaxed);
        }
        self.noted.store(n.wrapping_add(1), Relaxed);
        // Pairs with the barrier in `hold()`.
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
        // If a reader uses the place, the path is lost.
        if place.path.try_with(|p| p.set(path)).is_none() {
            place.key.store(0, Relaxed);
            pr_debug!("the path of a removed cgroup was not kept\n");
        }
        self.kept.store(n.wrapping_add(1), Relaxed);
    }

    /// Returns the path that a cgroup had when it was removed. Process context.
    pub(crate) fn path<'a>(&self, key: CgroupKey, path: &'a mut Path) -> Option<&'a str> {
        *path = Path::NONE;
        // Take the last one with this key. The places are used in turn, and the newest is before
        // `kept`.
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

    /// Returns the memory that the table takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.entries.as_slice())
            .saturating_add(core::mem::size_of_val(self.paths.as_slice()))
    }
}

fn gone(entry: &KnownCgroup, key: CgroupKey) -> bool {
    peek(&entry.key) == key.0 && peek(&entry.holders) > 0 && entry.is_gone()
}

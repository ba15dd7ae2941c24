// SPDX-License-Identifier: GPL-2.0

//! Reads of swap that are looked at closely, from devices that read at once. Mostly such a device
//! has read before the task goes on, but a zram device may have to ask its own disk.
//!
//! A read is kept by the address of its bio. The task that submits the bio puts it into the table
//! before that, and it is taken out where the bio is done. Only a few of many reads are looked at,
//! so they share a small table.
//!
//! Context: any, with preemption off.

use crate::{
    kernel_ext::{
        cell::peek,
        percpu::Pinned,
        reads,
        system,
        trylock::TryLock, //
    },
    policy::slots,
    shim::wait::WaitFacts, //
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

/// The most reads that are looked at at the same time. A read that finds no room is counted as
/// lost.
const READS: usize = 64;

/// A read that is not done yet.
#[derive(Clone, Copy)]
pub(crate) struct OpenRead {
    /// When the read began, in nanoseconds of `clock_ns()`.
    pub(crate) began: u64,
    /// Facts about the task, and about the page that it reads.
    pub(crate) facts: WaitFacts,
    /// The name of the task.
    pub(crate) comm: [u8; system::COMM_LEN],
}

struct ReadEntry {
    /// The address of the bio; 0 if the entry is free.
    bio: Atomic<usize>,
    read: TryLock<OpenRead>,
}

/// The table of these reads.
pub(crate) struct SwapReads(KVVec<ReadEntry>);

impl SwapReads {
    /// Allocates the table. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        let mut entries = KVVec::with_capacity(READS, GFP_KERNEL)?;
        for _ in 0..READS {
            let none = OpenRead {
                began: 0,
                facts: pin_init::zeroed(),
                comm: [0; system::COMM_LEN],
            };
            let free = ReadEntry {
                bio: Atomic::new(0),
                read: TryLock::new(none),
            };
            entries.push(free, GFP_KERNEL)?;
        }
        Ok(Self(entries))
    }

    fn places(&self, bio: usize) -> impl Iterator<Item = &ReadEntry> {
        slots::probe_sequence((bio >> 6) as u64, READS).filter_map(|i| self.0.get(i))
    }

    /// Puts a read that begins into the table; returns false if there is no room. A read of the
    /// same bio whose end was not seen is replaced.
    pub(crate) fn insert(&self, _: &Pinned<'_>, bio: usize, read: OpenRead) -> bool {
        let mut places = self.places(bio);
        let (entry, new) = match self.places(bio).find(|e| peek(&e.bio) == bio) {
            Some(entry) => (entry, false),
            None => match places.find(|e| e.bio.cmpxchg(0, bio, Acquire).is_ok()) {
                Some(entry) => (entry, true),
                None => return false,
            },
        };
        if new {
            reads::opened();
        }
        entry.read.try_with(|there| *there = read).is_some()
    }

    /// Takes a read that is done out of the table; `None` if it was not looked at.
    pub(crate) fn remove(&self, bio: usize) -> Option<OpenRead> {
        let entry = self.places(bio).find(|e| peek(&e.bio) == bio)?;
        let read = entry.read.try_with(|there| *there);
        Self::free(entry, bio);
        read
    }

    fn free(entry: &ReadEntry, bio: usize) {
        if entry.bio.cmpxchg(bio, 0, Release).is_ok() {
            reads::closed();
        }
    }

    /// Forgets all reads.
    pub(crate) fn clear(&self) {
        for entry in self.0.iter() {
            match entry.bio.load(Relaxed) {
                0 => {}
                bio => Self::free(entry, bio),
            }
        }
    }

    /// Returns the memory that the table takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}

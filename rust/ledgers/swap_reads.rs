// SPDX-License-Identifier: GPL-2.0

//! Reads of swap that are looked at closely, from devices that have read when they are told to:
//! mostly before the task goes on, but a zram device may have to ask its own disk.
//!
//! Kept by the address of the bio: put there by who submits it, before that, and taken out where it
//! is done. Few of many reads are, so that they share a small table.
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

/// Reads that are looked at at a time; of more than that the others go on for them.
const READS: usize = 64;

/// A read that goes on.
#[derive(Clone, Copy)]
pub(crate) struct OpenRead {
    /// Since when.
    pub(crate) began: u64,
    /// Whose, and of what.
    pub(crate) facts: WaitFacts,
    /// The name of the task.
    pub(crate) comm: [u8; system::COMM_LEN],
}

struct Entry {
    /// Address of the bio; 0: free.
    bio: Atomic<usize>,
    read: TryLock<OpenRead>,
}

/// All of them.
pub(crate) struct SwapReads(KVVec<Entry>);

impl SwapReads {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        let mut entries = KVVec::with_capacity(READS, GFP_KERNEL)?;
        for _ in 0..READS {
            let none = OpenRead {
                began: 0,
                facts: pin_init::zeroed(),
                comm: [0; system::COMM_LEN],
            };
            let free = Entry {
                bio: Atomic::new(0),
                read: TryLock::new(none),
            };
            entries.push(free, GFP_KERNEL)?;
        }
        Ok(Self(entries))
    }

    fn places(&self, bio: usize) -> impl Iterator<Item = &Entry> {
        slots::probe_sequence((bio >> 6) as u64, READS).filter_map(|i| self.0.get(i))
    }

    /// A read begins; false if there is no room. One of the same bio whose end was not seen is
    /// replaced.
    pub(crate) fn begins(&self, _: &Pinned<'_>, bio: usize, read: OpenRead) -> bool {
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

    /// A read is done.
    pub(crate) fn ended(&self, bio: usize) -> Option<OpenRead> {
        let entry = self.places(bio).find(|e| peek(&e.bio) == bio)?;
        let read = entry.read.try_with(|there| *there);
        Self::free(entry, bio);
        read
    }

    fn free(entry: &Entry, bio: usize) {
        if entry.bio.cmpxchg(bio, 0, Release).is_ok() {
            reads::closed();
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        for entry in self.0.iter() {
            match entry.bio.load(Relaxed) {
                0 => {}
                bio => Self::free(entry, bio),
            }
        }
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The shrinkers that are being called, by node and cgroup: one word for each, which all CPUs
//! share. Any context.

use crate::{
    policy::{
        shrink::{
            self,
            RunningCount, //
        },
        slots, //
    },
    shim::function::Shrink,
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// The most shrinkers, nodes and cgroups that are told apart while there are calls.
const RUNNING: usize = 256;

/// The words; see [`RunningCount`].
pub(super) struct RunningCalls(KVVec<Atomic<u64>>);

impl RunningCalls {
    /// Allocates the words. Sleeps. Fails with `ENOMEM`.
    pub(super) fn new() -> Result<Self> {
        let mut words = KVVec::with_capacity(RUNNING, GFP_KERNEL)?;
        for _ in 0..RUNNING {
            words.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self(words))
    }

    fn words(&self, shrink: &Shrink) -> (u64, impl Iterator<Item = &Atomic<u64>>) {
        let key = shrink::mix(&[
            shrink.shrinker as u64,
            shrink.nid.into(),
            shrink.cgroup_key().0,
        ]);
        let words = slots::probe_sequence(key, RUNNING).filter_map(|i| self.0.get(i));
        (key, words)
    }

    /// Counts a call of this shrinker, node and cgroup. Returns true if there are others.
    pub(super) fn enter(&self, shrink: &Shrink) -> bool {
        // Look for its own word first, and then for a free one.
        for own in [true, false] {
            let (key, words) = self.words(shrink);
            for word in words {
                let mut there = word.load(Relaxed);
                if own && !RunningCount(there).is(key) {
                    continue;
                }
                while let Some((next, others)) = RunningCount(there).enter(key) {
                    match word.cmpxchg(there, next.0, Relaxed) {
                        Ok(_) => return others,
                        Err(now) => there = now,
                    }
                }
            }
        }
        false
    }

    /// Counts the end of a call.
    pub(super) fn leave(&self, shrink: &Shrink) {
        let (key, words) = self.words(shrink);
        for word in words {
            let mut there = word.load(Relaxed);
            while let Some(next) = RunningCount(there).leave(key) {
                match word.cmpxchg(there, next.0, Relaxed) {
                    Ok(_) => return,
                    Err(now) => there = now,
                }
            }
        }
    }

    /// Forgets the calls that go on.
    pub(super) fn clear(&self) {
        for word in self.0.iter() {
            word.store(0, Relaxed);
        }
    }

    /// Returns the memory that the words take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Which shrinkers are being called, by node and cgroup: one word each, shared by all
//! CPUs. Any context.

use crate::{
    policy::{
        shrink::{
            self,
            Running, //
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

/// Shrinkers, nodes and cgroups that can be in a call at once and be told apart.
const RUNNING: usize = 256;

/// All words; see [`Running`].
pub(super) struct Calls(KVVec<Atomic<u64>>);

impl Calls {
    /// Allocates. Sleeps.
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

    /// One more call of that shrinker, node and cgroup; true if there are others.
    pub(super) fn enter(&self, shrink: &Shrink) -> bool {
        // Its own word, if it has one, or else a free one.
        for own in [true, false] {
            let (key, words) = self.words(shrink);
            for word in words {
                let mut there = word.load(Relaxed);
                if own && !Running(there).is(key) {
                    continue;
                }
                while let Some((next, others)) = Running(there).enter(key) {
                    match word.cmpxchg(there, next.0, Relaxed) {
                        Ok(_) => return others,
                        Err(now) => there = now,
                    }
                }
            }
        }
        false
    }

    /// One call less.
    pub(super) fn leave(&self, shrink: &Shrink) {
        let (key, words) = self.words(shrink);
        for word in words {
            let mut there = word.load(Relaxed);
            while let Some(next) = Running(there).leave(key) {
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

    /// Memory that they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}

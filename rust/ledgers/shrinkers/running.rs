// SPDX-License-Identifier: GPL-2.0

//! The shrinkers that are being called, by node and cgroup: one word for each, which all CPUs
//! share. Any context.

use crate::{
    kernel_ext::cell::peek,
    policy::{
        shrink::{
            self,
            RunningCount, //
        },
        slots, //
    },
    shim::function::Shrink,
    tables::farthest::Farthest, //
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
pub(super) struct RunningCalls {
    words: KVVec<Atomic<u64>>,
    farthest: Farthest,
}

/// Returns the key of a shrinker, node and cgroup.
fn key_of(shrink: &Shrink) -> u64 {
    shrink::mix(&[
        shrink.shrinker as u64,
        u64::from(shrink.nid).rotate_right(16) ^ shrink.cgroup_key().0,
    ])
}

impl RunningCalls {
    /// Allocates the words. Sleeps. Fails with `ENOMEM`.
    pub(super) fn new() -> Result<Self> {
        let mut words = KVVec::with_capacity(RUNNING, GFP_KERNEL)?;
        for _ in 0..RUNNING {
            words.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self {
            words,
            farthest: Farthest::new(),
        })
    }

    fn places(&self, key: u64) -> impl Iterator<Item = &Atomic<u64>> {
        slots::probe_sequence(key, RUNNING).filter_map(|i| self.words.get(i))
    }

    /// Counts a call of this shrinker, node and cgroup. Returns true if there are others.
    pub(super) fn enter(&self, shrink: &Shrink) -> bool {
        let key = key_of(shrink);
        // Look for its own word first, and then for a free one.
        let own = self.places(key).take(self.farthest.places());
        for word in own.filter(|word| RunningCount(peek(*word)).is(key)) {
            if let Some(others) = enter_word(word, key) {
                return others;
            }
        }
        for (distance, word) in self.places(key).enumerate() {
            if let Some(others) = enter_word(word, key) {
                self.farthest.note(distance);
                return others;
            }
        }
        false
    }

    /// Counts the end of a call.
    pub(super) fn leave(&self, shrink: &Shrink) {
        let key = key_of(shrink);
        for word in self.places(key).take(self.farthest.places()) {
            let mut there = peek(word);
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
        for word in self.words.iter() {
            word.store(0, Relaxed);
        }
    }

    /// Returns the memory that the words take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.words.as_slice())
    }
}

/// Counts a call in a word. Returns whether there are others; `None` if the word belongs to another
/// key.
fn enter_word(word: &Atomic<u64>, key: u64) -> Option<bool> {
    let mut there = peek(word);
    while let Some((next, others)) = RunningCount(there).enter(key) {
        match word.cmpxchg(there, next.0, Relaxed) {
            Ok(_) => return Some(others),
            Err(now) => there = now,
        }
    }
    None
}

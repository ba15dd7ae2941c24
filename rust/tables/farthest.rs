// SPDX-License-Identifier: GPL-2.0

//! How far an open-addressed table has to be searched. Context: any; takes no lock.

use crate::kernel_ext::cell::peek;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// How far from its first place a key was ever put: none is farther. So the search for a key that
/// is not there mostly ends at its first place.
pub(crate) struct Farthest(Atomic<usize>);

impl Farthest {
    /// Creates the bound of an empty table.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Returns the number of places that have to be searched.
    #[inline(always)]
    pub(crate) fn places(&self) -> usize {
        peek(&self.0).saturating_add(1)
    }

    /// Notes that a key was put `distance` places from its first one. Nobody may look for the key
    /// before that.
    #[inline]
    pub(crate) fn note(&self, distance: usize) {
        let mut farthest = peek(&self.0);
        while farthest < distance {
            match self.0.cmpxchg(farthest, distance, Relaxed) {
                Ok(_) => return,
                Err(now) => farthest = now,
            }
        }
    }
}

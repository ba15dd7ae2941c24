// SPDX-License-Identifier: GPL-2.0

//! Names of shrinkers, noted when one is first seen. Any context; a name that another CPU
//! works on is left alone.

use crate::{
    kernel_ext::{
        percpu::pinned,
        trylock::TryLock, //
    },
    policy::{
        shrink,
        slots, //
    },
    shim::function::{
        Shrink,
        NAME_LEN, //
    },
};
use kernel::prelude::*;

/// Shrinkers whose names are kept.
const NAMES: usize = 256;

/// A shrinker's name, as it was when it was first seen. A shrinker that goes may leave
/// its address to another one, but hardly its name's address, too.
#[derive(Clone, Copy)]
struct ShrinkerName {
    shrinker: u64,
    name: u64,
    text: [u8; NAME_LEN],
}

/// All names.
pub(super) struct ShrinkerNames(KVVec<TryLock<ShrinkerName>>);

impl ShrinkerNames {
    /// Allocates. Sleeps.
    pub(super) fn new() -> Result<Self> {
        let mut names = KVVec::with_capacity(NAMES, GFP_KERNEL)?;
        for _ in 0..NAMES {
            let free = ShrinkerName {
                shrinker: 0,
                name: 0,
                text: [0; NAME_LEN],
            };
            names.push(TryLock::new(free), GFP_KERNEL)?;
        }
        Ok(Self(names))
    }

    fn places(&self, shrinker: u64, name: u64) -> impl Iterator<Item = &TryLock<ShrinkerName>> {
        slots::probe_sequence(shrink::mix(&[shrinker, name]), NAMES).filter_map(|i| self.0.get(i))
    }

    /// Notes a shrinker's name, if it is not known and there is room.
    pub(super) fn note(&self, shrink: &Shrink) {
        let shrinker = shrink.shrinker as u64;
        for place in self.places(shrinker, shrink.name) {
            let settled = place.try_with(|there| {
                if there.shrinker == 0 {
                    there.name = shrink.name;
                    there.text = shrink.name_text();
                    there.shrinker = shrinker;
                }
                there.shrinker == shrinker && there.name == shrink.name
            });
            if settled == Some(true) {
                return;
            }
        }
    }

    /// Copies a shrinker's name; zeroes if it is not known. Process context.
    pub(super) fn of(&self, shrinker: u64, name: u64) -> [u8; NAME_LEN] {
        for place in self.places(shrinker, name) {
            let found = pinned(|_| {
                place.try_with(|there| {
                    let same = there.shrinker == shrinker && there.name == name;
                    same.then_some(there.text)
                })
            });
            if let Some(Some(text)) = found {
                return text;
            }
        }
        [0; NAME_LEN]
    }

    /// Memory that they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}

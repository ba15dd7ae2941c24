// SPDX-License-Identifier: GPL-2.0

//! Why reclaim runs, told from the functions on the stack where no event says
//! it: see [`crate::policy::classify`].
//!
//! Looking a name up takes a microsecond or two, so that the answer for each
//! return address is kept, until a module goes: other code may take its address.

use crate::{
    kernel_ext::{
        cell::peek,
        stack,
        symbol, //
    },
    policy::{
        classify::{
            self,
            Caller, //
        },
        slots, //
    },
    scratch::Scratch,
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

const CACHE: usize = 512;

/// Frames to look at for why reclaim runs: its own are about fifteen.
pub(crate) const FRAMES: usize = 32;

/// Frames to look at first, as each takes the unwinder a few hundred instructions: ours, and
/// those between an event of a memory cgroup's reclaim and who called for it.
const NEAR: usize = 12;

/// Answers by return address. An entry is the address's low 56 bits, shifted
/// up, with the [`Caller`] in the low byte: it is replaced whole.
pub(crate) struct Callers {
    cache: KVVec<Atomic<u64>>,
}

impl Callers {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        let mut cache = KVVec::with_capacity(CACHE, GFP_KERNEL)?;
        for _ in 0..CACHE {
            cache.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self { cache })
    }

    fn caller(&self, addr: usize, symbol: &mut symbol::Buffer) -> Caller {
        let tag = (addr as u64) << 8;
        let place = slots::probe_sequence(addr as u64, CACHE)
            .next()
            .and_then(|i| self.cache.get(i));
        if let Some(entry) = place.map(peek) {
            if entry & !0xff == tag {
                if let Some(known) = Caller::from_u8(entry as u8) {
                    return known;
                }
            }
        }
        let caller = classify::caller(symbol::name(addr, symbol));
        if let Some(place) = place {
            place.store(tag | caller as u64, Relaxed);
        }
        caller
    }

    /// What the function that `addr` returns to tells.
    pub(crate) fn of(&self, scratch: &mut Scratch, addr: usize) -> Caller {
        self.caller(addr, &mut scratch.symbol)
    }

    /// A module is gone: forgets all answers.
    pub(crate) fn forget(&self) {
        for entry in self.cache.iter() {
            entry.store(0, Relaxed);
        }
    }

    /// Among so many `frames` the innermost function on the current stack that `wanted` accepts.
    pub(crate) fn find(
        &self,
        scratch: &mut Scratch,
        frames: usize,
        wanted: impl Fn(Caller) -> bool,
    ) -> Option<Caller> {
        for depth in [NEAR.min(frames), frames] {
            let trace = scratch.trace.get_mut(..depth)?;
            let n = stack::trace(trace);
            let symbol = &mut scratch.symbol;
            let found = trace
                .iter()
                .take(n)
                .map(|&addr| self.caller(addr, symbol))
                .find(|&c| wanted(c));
            if found.is_some() || n < depth {
                return found;
            }
        }
        None
    }

    /// Tells `f` of so many `frames` of the current stack, innermost first.
    pub(crate) fn each(
        &self,
        scratch: &mut Scratch,
        frames: usize,
        mut f: impl FnMut(usize, Caller),
    ) -> Option<()> {
        let trace = scratch.trace.get_mut(..frames)?;
        let n = stack::trace(trace);
        for &addr in trace.iter().take(n) {
            f(addr, self.caller(addr, &mut scratch.symbol));
        }
        Some(())
    }

    /// Memory that the cache takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.cache.as_slice())
    }
}

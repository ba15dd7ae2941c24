// SPDX-License-Identifier: GPL-2.0

//! Why reclaim runs, told from the functions on the stack where no event says
//! it: see [`crate::policy::classify`].
//!
//! Looking a name up takes a microsecond or two, so that the answer for each
//! return address is kept. A module's code may be unloaded and other code take
//! its address, but no function that matters here is in a module.

use crate::{
    kernel_ext::{
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

/// Frames to look at: reclaim's own are about fifteen.
const FRAMES: usize = 32;

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
        if let Some(entry) = place.map(|p| p.load(Relaxed)) {
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

    /// The innermost function on the current stack that `wanted` accepts.
    pub(crate) fn find(
        &self,
        scratch: &mut Scratch,
        wanted: impl Fn(Caller) -> bool,
    ) -> Option<Caller> {
        let trace = scratch.trace.get_mut(..FRAMES)?;
        let n = stack::trace(trace);
        let symbol = &mut scratch.symbol;
        trace
            .iter()
            .take(n)
            .map(|&addr| self.caller(addr, symbol))
            .find(|&c| wanted(c))
    }

    /// Memory that the cache takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.cache.len() * core::mem::size_of::<Atomic<u64>>()
    }
}

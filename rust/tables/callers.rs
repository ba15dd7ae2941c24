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
    shim::At,
    tables::scratch::Scratch, //
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

/// Frames to look at for where an iterator over probes was called: ours, and its own.
const ITERATOR_FRAMES: usize = 24;

/// In an entry: an iterator over the probes of a tracepoint, with the size of its frame in words
/// below; 0: not known. (The function is the same all the time, and so is its frame.)
const ITERATOR: u8 = 0x80;

const WORD: usize = core::mem::size_of::<usize>();

/// Answers by return address. An entry is the address's low 56 bits, shifted
/// up, with the [`Caller`] or [`ITERATOR`] in the low byte: it is replaced whole.
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

    fn place(&self, addr: usize) -> Option<&Atomic<u64>> {
        let i = slots::probe_sequence(addr as u64, CACHE).next()?;
        self.cache.get(i)
    }

    /// What is known of an address, or 0.
    #[inline]
    fn known(&self, addr: usize) -> u8 {
        match self.place(addr).map(peek) {
            Some(entry) if entry & !0xff == (addr as u64) << 8 => entry as u8,
            _ => 0,
        }
    }

    fn keep(&self, addr: usize, what: u8) {
        if let Some(place) = self.place(addr) {
            place.store((addr as u64) << 8 | u64::from(what), Relaxed);
        }
    }

    fn caller(&self, addr: usize, symbol: &mut symbol::SymbolBuffer) -> Caller {
        match self.known(addr) {
            known if known & ITERATOR != 0 => return Caller::Locking,
            known => {
                if let Some(known) = Caller::from_u8(known) {
                    return known;
                }
            }
        }
        let caller = classify::caller(symbol::name(addr, symbol));
        self.keep(addr, caller as u8);
        caller
    }

    /// Bytes of stack between who called a probe and the call site of its tracepoint: the frame
    /// of an iterator, if it returns into one. `None` until [`Callers::measure`] has looked.
    #[inline]
    pub(crate) fn below_call_site(&self, at: &At) -> Option<usize> {
        const LOCKING: u8 = Caller::Locking as u8;
        match self.known(at.caller) {
            // An iterator is told to be that, too.
            0 | LOCKING => None,
            known if known & ITERATOR != 0 => {
                Some(usize::from(known & !ITERATOR).wrapping_mul(WORD))
            }
            _ => Some(0),
        }
    }

    /// The same, by looking at name and stack. On the task's own stack.
    pub(crate) fn measure(&self, scratch: &mut Scratch, at: &At) -> usize {
        if !classify::is_iterator(symbol::name(at.caller, &mut scratch.symbol)) {
            self.caller(at.caller, &mut scratch.symbol);
            return 0;
        }
        let size = scratch
            .trace
            .get_mut(..ITERATOR_FRAMES)
            .and_then(|trace| stack::frame_size(at.sp, at.caller, trace));
        let words = size.and_then(|bytes| u8::try_from(bytes / WORD).ok());
        let words = words.filter(|&words| words < ITERATOR).unwrap_or(0);
        self.keep(at.caller, ITERATOR | words);
        usize::from(words).wrapping_mul(WORD)
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

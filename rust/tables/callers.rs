// SPDX-License-Identifier: GPL-2.0

//! Why reclaim runs, determined by the functions on the stack where no event tells it: see
//! [`crate::policy::classify`].
//!
//! Looking up a name takes a microsecond or two. So the answer for each return address is kept
//! until a module is unloaded, because other code may then get its address.
//!
//! Context: any, with preemption off.

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

/// Number of answers that are kept.
const CACHE: usize = 512;

/// Number of frames that are searched for why reclaim runs. Reclaim itself has about fifteen.
pub(crate) const FRAMES: usize = 32;

/// Number of frames that are searched first, because each takes the unwinder a few hundred
/// instructions. These are our own frames, and those between an event of cgroup reclaim and the
/// function that called for it.
const NEAR: usize = 12;

/// Number of frames that are searched for the caller of an iterator over probes: our own frames,
/// and its.
const ITERATOR_FRAMES: usize = 24;

/// Marks an entry of an iterator over the probes of a tracepoint. The bits below hold the size of
/// its frame in words; 0 if it is not known. (The function does not change, so its frame does not
/// either.)
const ITERATOR: u8 = 0x80;

const WORD: usize = core::mem::size_of::<usize>();

/// Call sites of tracepoints whose function's frame is known.
const FRAME_SIZES: usize = 16;

/// The answers by return address. An entry has the low 56 bits of the address, shifted up, and the
/// [`Caller`] or [`ITERATOR`] in its low byte. It is always replaced as a whole.
pub(crate) struct Callers {
    cache: KVVec<Atomic<u64>>,
    /// By the call site of a tracepoint: its address, shifted up, with the words from there to
    /// where its function returns to in the low byte, plus 1. (They are the same each time.)
    frames: [Atomic<u64>; FRAME_SIZES],
}

impl Callers {
    /// Allocates the cache, which is empty at first. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut cache = KVVec::with_capacity(CACHE, GFP_KERNEL)?;
        for _ in 0..CACHE {
            cache.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self {
            cache,
            frames: [const { Atomic::new(0) }; FRAME_SIZES],
        })
    }

    fn place(&self, addr: usize) -> Option<&Atomic<u64>> {
        let i = slots::probe_sequence(addr as u64, CACHE).next()?;
        self.cache.get(i)
    }

    /// Returns the low byte of the entry of an address; 0 if there is none.
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

    /// Returns the bytes of stack between the caller of a probe and the call site of its
    /// tracepoint: the frame of an iterator, if the probe returns into one, otherwise 0. `None`
    /// until [`Callers::measure`] has determined it.
    #[inline]
    pub(crate) fn below_call_site(&self, at: &At) -> Option<usize> {
        const LOCKING: u8 = Caller::Locking as u8;
        match self.known(at.caller) {
            // `caller()` keeps an iterator as `Locking`, so its frame is not known yet.
            0 | LOCKING => None,
            known if known & ITERATOR != 0 => {
                Some(usize::from(known & !ITERATOR).wrapping_mul(WORD))
            }
            _ => Some(0),
        }
    }

    /// Determines the same by the name of the caller and by the stack. The caller must run on the
    /// stack of the task.
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

    fn frame(&self, site: usize) -> Option<&Atomic<u64>> {
        let i = slots::probe_sequence(site as u64, FRAME_SIZES).next()?;
        self.frames.get(i)
    }

    /// What the caller of the function tells that a tracepoint is in, if it is known where that
    /// returns to, and what is there. On the task's own stack.
    pub(crate) fn above(&self, at: &At) -> Option<Caller> {
        let frame = self.frame(at.caller).map(peek)?;
        if frame & !0xff != (at.caller as u64) << 8 {
            return None;
        }
        let words = (frame as u8).checked_sub(1)?;
        let addr = stack::word(at.sp.wrapping_add(usize::from(words).wrapping_mul(WORD)))?;
        Caller::from_u8(self.known(addr))
    }

    /// Finds out where that is. On the task's own stack.
    pub(crate) fn measure_frame(&self, at: &At) {
        // An iterator over probes is not who is asked for.
        if self.below_call_site(at) != Some(0) {
            return;
        }
        let words = stack::frame_words(at.sp, at.caller);
        let words = words.and_then(|words| u8::try_from(words.saturating_add(1)).ok());
        if let (Some(words), Some(frame)) = (words, self.frame(at.caller)) {
            frame.store((at.caller as u64) << 8 | u64::from(words), Relaxed);
        }
    }

    /// Returns what the function tells into which `addr` returns.
    pub(crate) fn of(&self, scratch: &mut Scratch, addr: usize) -> Caller {
        self.caller(addr, &mut scratch.symbol)
    }

    /// Forgets all answers, because a module was unloaded.
    pub(crate) fn forget(&self) {
        for entry in Iterator::chain(self.cache.iter(), &self.frames) {
            entry.store(0, Relaxed);
        }
    }

    /// Returns the innermost of at most `frames` functions on the current stack that `wanted`
    /// accepts; `None` if there is none.
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

    /// Calls `f` for each of at most `frames` functions on the current stack, innermost first.
    pub(crate) fn for_each(
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

    /// Returns the memory that the cache uses, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.cache.as_slice())
    }
}

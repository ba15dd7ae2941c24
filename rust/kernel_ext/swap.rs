// SPDX-License-Identifier: GPL-2.0

//! Writing swap, as a helper may on a patched kernel.
//!
//! C header: `include/linux/reclaim_writeback.h`, of the patched kernel

use super::fs::{
    FolioRef,
    LockedFolio, //
};
use crate::shim;
use kernel::ffi::c_void;

/// State of a folio that was queued.
#[derive(Clone, Copy)]
pub(crate) struct SwapState(u32);

impl SwapState {
    /// In the swap cache, or of shmem.
    pub(crate) fn swappable(self) -> bool {
        self.0 & 1 != 0
    }

    /// To be written.
    pub(crate) fn dirty(self) -> bool {
        self.0 & 2 != 0
    }

    /// Being written.
    pub(crate) fn writeback(self) -> bool {
        self.0 & 4 != 0
    }

    /// In use again.
    pub(crate) fn mapped(self) -> bool {
        self.0 & 8 != 0
    }

    /// On its LRU list: nobody has it isolated, perhaps with a TLB flush to come.
    pub(crate) fn on_lru(self) -> bool {
        self.0 & 16 != 0
    }
}

impl FolioRef {
    /// A snapshot. Any context.
    pub(crate) fn swap_state(&self) -> SwapState {
        // SAFETY: The folio is live, as we hold a reference.
        SwapState(unsafe { shim::rwb_folio_swap_state(self.as_ptr()) })
    }
}

/// Folios that are swapped out together: those with adjacent slots share a request.
/// Belongs to one task; submitted on drop.
pub(crate) struct SwapIo([usize; 4]);

impl SwapIo {
    /// Nothing yet. What it writes is reported as done with `cookie`, which is not 0.
    pub(crate) fn new(cookie: usize) -> Self {
        let mut io = [0; 4];
        // SAFETY: There are as many words as C wants (`RWB_SWAP_IO_WORDS`).
        unsafe { shim::rwb_swap_io_init(io.as_mut_ptr(), cookie) };
        Self(io)
    }

    fn pages(&mut self) -> u32 {
        // SAFETY: Made by `rwb_swap_io_init()`.
        unsafe { shim::rwb_swap_pages(self.0.as_mut_ptr()) }
    }

    /// Swaps out a folio, unless it is in use again, clean, under writeback or off its
    /// LRU list; `None` then, else the number of its pages that are part of a request (a folio of zeros
    /// needs none). Submits what cannot be joined with it. Sleeps; with PF_MEMALLOC.
    pub(crate) fn write(&mut self, folio: LockedFolio<'_>) -> Option<u32> {
        let before = self.pages();
        // SAFETY: Made by `rwb_swap_io_init()`; the folio is live and locked.
        if !unsafe { shim::rwb_swap_out(self.0.as_mut_ptr(), folio.as_ptr()) } {
            return None;
        }
        // It is unlocked already.
        core::mem::forget(folio);
        Some(self.pages().wrapping_sub(before))
    }

    /// Submits what was written. Sleeps; with PF_MEMALLOC.
    pub(crate) fn submit(&mut self) {
        // SAFETY: Made by `rwb_swap_io_init()`.
        unsafe { shim::rwb_swap_submit(self.0.as_mut_ptr()) };
    }
}

impl Drop for SwapIo {
    fn drop(&mut self) {
        self.submit();
    }
}

/// Runs `f`; what it submits to block devices goes to them when it is done, from this
/// task, requests that touch joined. Sleeps.
/// `None` never comes back: C calls `f`.
pub(crate) fn plugged<R>(f: impl FnOnce() -> R) -> Option<R> {
    struct Call<F, R> {
        f: Option<F>,
        r: Option<R>,
    }

    /// # Safety
    ///
    /// `data` is a `Call` that nobody else uses.
    unsafe extern "C" fn call<F: FnOnce() -> R, R>(data: *mut c_void) {
        // SAFETY: By the safety requirement.
        let call = unsafe { &mut *data.cast::<Call<F, R>>() };
        call.r = call.f.take().map(|f| f());
    }

    fn run<F: FnOnce() -> R, R>(f: F) -> Option<R> {
        let mut c = Call {
            f: Some(f),
            r: None,
        };
        // SAFETY: `call` gets the `Call` that it expects, once, before this returns.
        unsafe { shim::rwb_plugged(Some(call::<F, R>), (&raw mut c).cast()) };
        c.r
    }

    run(f)
}

// SPDX-License-Identifier: GPL-2.0

//! Submitting prepared swap-out requests, as a helper may on a patched kernel.
//!
//! C header: `include/linux/reclaim_writeback.h`, of the patched kernel

use crate::{
    policy::link::Sent,
    shim, //
};
use kernel::ffi::c_void;

/// A prepared request that is ours. It is submitted on drop at the latest: its folios are
/// under writeback until it is.
///
/// # Invariants
///
/// 0, or the address of a live `struct swap_iocb` that nobody else submits.
pub(crate) struct Prepared(usize);

impl Prepared {
    /// # Safety
    ///
    /// `request` is 0, for tests, or a `struct swap_iocb` that is live until it is submitted,
    /// and that nobody else submits.
    pub(crate) unsafe fn new(request: usize) -> Self {
        // INVARIANT: By the safety requirement.
        Self(request)
    }

    fn send(&self, stamp: [u64; 3]) {
        if self.0 != 0 {
            // SAFETY: By the type invariant. C reads as many words as there are.
            unsafe { shim::rwb_swap_submit(self.0, stamp.as_ptr()) };
        }
    }

    /// Submits it; `sent` is told when it is done. Sleeps; with PF_MEMALLOC.
    pub(crate) fn submit(self, sent: Sent) {
        self.send(sent.pack());
        core::mem::forget(self);
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.send([0; 3]);
    }
}

/// Runs `f`; what it submits to block devices goes to them when it is done, from this
/// task, requests that touch joined. Sleeps.
/// `None` never comes back: C calls `f`.
pub(crate) fn plugged<R>(f: impl FnOnce() -> R) -> Option<R> {
    struct Closure<F, R> {
        f: Option<F>,
        r: Option<R>,
    }

    /// # Safety
    ///
    /// `data` is a `Closure` that nobody else uses.
    unsafe extern "C" fn call<F: FnOnce() -> R, R>(data: *mut c_void) {
        // SAFETY: By the safety requirement.
        let call = unsafe { &mut *data.cast::<Closure<F, R>>() };
        call.r = call.f.take().map(|f| f());
    }

    fn run<F: FnOnce() -> R, R>(f: F) -> Option<R> {
        let mut c = Closure {
            f: Some(f),
            r: None,
        };
        // SAFETY: `call` gets the `Closure` that it expects, once, before this returns.
        unsafe { shim::rwb_plugged(Some(call::<F, R>), (&raw mut c).cast()) };
        c.r
    }

    run(f)
}

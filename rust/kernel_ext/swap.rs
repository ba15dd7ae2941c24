// SPDX-License-Identifier: GPL-2.0

//! Submission of prepared swap-out requests, which the helper may do on a patched kernel.
//!
//! C header: `include/linux/reclaim_writeback.h`, of the patched kernel

use crate::{
    policy::link::RequestStamp,
    shim, //
};

/// A prepared request that belongs to us. It is submitted on drop at the latest, because its folios
/// are under writeback until then.
///
/// # Invariants
///
/// The value is 0, or the address of a live `struct swap_iocb` that nobody else submits.
pub(crate) struct PreparedRequest(usize);

impl PreparedRequest {
    /// Takes over a request.
    ///
    /// # Safety
    ///
    /// `request` must be 0 (in tests), or the address of a `struct swap_iocb` that is live until it
    /// is submitted, and that nobody else submits.
    pub(crate) unsafe fn new(request: usize) -> Self {
        // INVARIANT: By the safety requirement.
        Self(request)
    }

    fn send(&self, stamp: [u64; 3]) {
        if self.0 != 0 {
            // SAFETY: By the type invariant the request is live and ours. C reads three words of
            // the stamp.
            unsafe { shim::rwb_swap_submit(self.0, stamp.as_ptr()) };
        }
    }

    /// Submits the request. `sent` is returned with its completion. Sleeps; the caller must have
    /// PF_MEMALLOC.
    pub(crate) fn submit(self, sent: RequestStamp) {
        self.send(sent.pack());
        core::mem::forget(self);
    }
}

impl Drop for PreparedRequest {
    // A request is left only if its writer was told to stop before it ran for the first time. The
    // task that frees the queue then submits the request.
    fn drop(&mut self) {
        // SAFETY: Has no precondition. The same task ends it below.
        let flags = unsafe { shim::rwb_memalloc_begin() };
        self.send([0; 3]);
        // SAFETY: Pairs with the begin above.
        unsafe { shim::rwb_memalloc_end(flags) };
    }
}

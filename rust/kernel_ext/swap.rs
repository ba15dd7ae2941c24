// SPDX-License-Identifier: GPL-2.0

//! Submitting prepared swap-out requests, as a helper may on a patched kernel.
//!
//! C header: `include/linux/reclaim_writeback.h`, of the patched kernel

use crate::{
    policy::link::Sent,
    shim, //
};

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

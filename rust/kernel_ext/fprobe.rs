// SPDX-License-Identifier: GPL-2.0

//! Function probe on `zswap_store()`.

use crate::shim;
use core::ptr::NonNull;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// A registered function probe; unregisters, and waits for its handlers, on
/// drop. Creating and dropping it sleep.
///
/// # Invariants
///
/// The pointer is a handle that `rwb_zswap_probe_register()` returned and that
/// was not unregistered.
pub(crate) struct ZswapProbe(NonNull<c_void>);

// SAFETY: The handle may be used from any thread, one at a time.
unsafe impl Send for ZswapProbe {}

// SAFETY: A shared reference gives access to nothing.
unsafe impl Sync for ZswapProbe {}

impl ZswapProbe {
    /// Registers the probe. `EOPNOTSUPP` without `CONFIG_FPROBE`, `ENOENT`
    /// where the kernel has no such function.
    ///
    /// # Safety
    ///
    /// `data` must point to what `rwb_rs_zswap_stored()` expects, valid until
    /// the value is dropped.
    pub(crate) unsafe fn new(data: *mut c_void) -> Result<Self> {
        let mut err = 0;
        // SAFETY: `err` is valid for writes; `data` is only passed through.
        let handle = unsafe { shim::rwb_zswap_probe_register(data, &mut err) };
        match NonNull::new(handle) {
            // INVARIANT: Just registered.
            Some(handle) => Ok(Self(handle)),
            None => Err(to_result(err).err().unwrap_or(ENOMEM)),
        }
    }
}

impl Drop for ZswapProbe {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the handle is registered.
        unsafe { shim::rwb_zswap_probe_unregister(self.0.as_ptr()) };
    }
}

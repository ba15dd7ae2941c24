// SPDX-License-Identifier: GPL-2.0

//! What a static holds from the module's init on.
//!
//! `kernel::sync::SetOnce` moves what it holds, which a lock must not be; `global_lock!` has to be
//! initialized by who uses it, and does not say whether that was done.

use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    types::Opaque, //
};

/// A value that is made once, and then stays.
///
/// # Invariants
///
/// `state` is 0 at first; 1 while the one who changed it from 0 makes `value`; 2 once `value` is
/// initialized. It only grows.
pub(crate) struct Late<T> {
    state: Atomic<i32>,
    value: Opaque<T>,
}

// SAFETY: The value is shared only once it is initialized; it may be made on another thread than
// those that look at it, and is never dropped.
unsafe impl<T: Send + Sync> Sync for Late<T> {}

impl<T> Late<T> {
    /// Not made yet.
    pub(crate) const fn new() -> Self {
        // INVARIANT: Nobody has made it.
        Self {
            state: Atomic::new(0),
            value: Opaque::uninit(),
        }
    }

    /// Makes it; `EBUSY` the second time.
    pub(crate) fn make(&'static self, value: impl PinInit<T>) -> Result {
        if self.state.cmpxchg(0, 1, Acquire).is_err() {
            return Err(EBUSY);
        }
        // SAFETY: By the type invariant nobody else uses the value, which is valid for writes, and
        // does not move, as `self` is static.
        unsafe { pin_init::raw_init(self.value.get(), value) };
        // INVARIANT: It is initialized.
        self.state.store(2, Release);
        Ok(())
    }

    /// It, if it is made.
    pub(crate) fn get(&'static self) -> Option<&'static T> {
        // SAFETY: By the type invariant it is initialized, and only shared from then on.
        (self.state.load(Acquire) == 2).then(|| unsafe { &*self.value.get() })
    }
}

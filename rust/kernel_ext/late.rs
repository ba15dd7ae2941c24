// SPDX-License-Identifier: GPL-2.0

//! A value of a static that is initialized when the module is loaded.
//!
//! `kernel::sync::SetOnce` moves its value, which a lock does not allow. A lock of `global_lock!`
//! has to be initialized by its user, and does not say whether that was done.

use crate::kernel_ext::compat;
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    types::Opaque, //
};

/// A value that is initialized once, and is never dropped.
///
/// # Invariants
///
/// `state` is 0 at first, 1 while the task that changed it from 0 initializes `value`, and 2 once
/// `value` is initialized. It only grows.
pub(crate) struct LateInit<T> {
    state: Atomic<i32>,
    value: Opaque<T>,
}

// SAFETY: The value is shared only once it is initialized. It may have been initialized on another
// thread than those that use it, and it is never dropped.
unsafe impl<T: Send + Sync> Sync for LateInit<T> {}

impl<T> LateInit<T> {
    /// Creates one that is not initialized.
    pub(crate) const fn new() -> Self {
        // INVARIANT: Nobody has initialized the value.
        Self {
            state: Atomic::new(0),
            value: Opaque::uninit(),
        }
    }

    /// Initializes the value. Fails with `EBUSY` the second time. Sleeps if `value` does.
    pub(crate) fn init(&'static self, value: impl PinInit<T>) -> Result {
        if self.state.cmpxchg(0, 1, Acquire).is_err() {
            return Err(EBUSY);
        }
        // SAFETY: By the type invariant nobody else uses the value. It is valid for writes, and
        // does not move because `self` is static.
        unsafe { compat::raw_init(self.value.get(), value) };
        // INVARIANT: The value is initialized.
        self.state.store(2, Release);
        Ok(())
    }

    /// Returns the value; `None` if it is not initialized yet. Any context.
    pub(crate) fn get(&'static self) -> Option<&'static T> {
        // SAFETY: By the type invariant the value is initialized, and is only shared from then on.
        (self.state.load(Acquire) == 2).then(|| unsafe { &*self.value.get() })
    }
}

// SPDX-License-Identifier: GPL-2.0

//! A lock that is only ever tried, for handlers that may not wait.

use crate::kernel_ext::cell::peek;
use core::cell::UnsafeCell;
use kernel::sync::atomic::{
    Acquire,
    Atomic,
    Release, //
};
use pin_init::Zeroable;

/// Guards a `T` by a flag; nobody waits for it, so that it takes part in no
/// deadlock and lockdep need not know it.
pub(crate) struct TryLock<T> {
    busy: Atomic<i32>,
    value: UnsafeCell<T>,
}

// SAFETY: The value is only reached by whoever changed `busy` from 0 to 1, so
// by one thread at a time; acquire and release order their accesses.
unsafe impl<T: Send> Sync for TryLock<T> {}

// SAFETY: All zeroes is a free lock, and a value of `T`: `Zeroable` says so.
unsafe impl<T: Zeroable> Zeroable for TryLock<T> {}

impl<T> TryLock<T> {
    /// A free lock.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            busy: Atomic::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `f` on the value; `None` if someone else is at it. Any context.
    /// Callers that can be preempted disable that first, or keep others out
    /// for long.
    pub(crate) fn try_with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        if peek(&self.busy) != 0 || self.busy.cmpxchg(0, 1, Acquire).is_err() {
            return None;
        }
        // SAFETY: We changed `busy` from 0 to 1: nobody else reaches the value
        // until the store below.
        let r = f(unsafe { &mut *self.value.get() });
        self.busy.store(0, Release);
        Some(r)
    }
}

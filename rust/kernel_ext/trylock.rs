// SPDX-License-Identifier: GPL-2.0

//! A lock that is only tried, for handlers that must not wait.

use crate::kernel_ext::cell::peek;
use core::cell::UnsafeCell;
use kernel::sync::atomic::{
    Acquire,
    Atomic,
    Release, //
};
use pin_init::Zeroable;

/// The number of times that [`TryLock::with_patience`] tries.
const TRIES: u32 = 256;

/// Guards a `T` by a flag. Nobody waits for the lock, so it cannot be part of a deadlock, and
/// lockdep does not have to know it.
pub(crate) struct TryLock<T> {
    busy: Atomic<i32>,
    value: UnsafeCell<T>,
}

// SAFETY: The value is only reached by the task that changed `busy` from 0 to 1, so by one at a
// time. Acquire and release order their accesses.
unsafe impl<T: Send> Sync for TryLock<T> {}

// SAFETY: All zeroes are a free lock, and a valid `T` because of `T: Zeroable`.
unsafe impl<T: Zeroable> Zeroable for TryLock<T> {}

impl<T> TryLock<T> {
    /// Creates a lock that is free.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            busy: Atomic::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `f` on the value; `None` if the lock is taken. Any context. A caller that can be
    /// preempted should disable preemption, because it would keep others out for long.
    pub(crate) fn try_with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        if peek(&self.busy) != 0 || self.busy.cmpxchg(0, 1, Acquire).is_err() {
            return None;
        }
        // SAFETY: We changed `busy` from 0 to 1, so nobody else reaches the value until the store
        // below.
        let r = f(unsafe { &mut *self.value.get() });
        self.busy.store(0, Release);
        Some(r)
    }

    /// Like [`Self::try_with`], but tries for as long as another CPU may take to be through with
    /// something short. `None` if the lock is still taken then. Preemption must be off here and
    /// wherever the lock is taken.
    pub(crate) fn with_patience<R>(&self, mut f: impl FnMut(&mut T) -> R) -> Option<R> {
        (0..TRIES).find_map(|_| self.try_with(&mut f))
    }
}

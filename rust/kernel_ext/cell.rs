// SPDX-License-Identifier: GPL-2.0

//! A 64-bit cell with one writer at a time and any number of readers.
//!
//! `kernel::sync::atomic` calls a C helper for each access, because bindgen cannot inline these
//! unless rustc and clang share an LLVM. Probes on the reclaim path should not pay for that with
//! counters that only one CPU writes.

use core::cell::UnsafeCell;
use kernel::sync::atomic::{
    Atomic,
    AtomicType, //
};
use pin_init::Zeroable;

/// Reads an atomic like `load(Relaxed)`, but without calling a C helper. For handlers.
#[inline(always)]
pub(crate) fn peek<T: AtomicType>(atomic: &Atomic<T>) -> T {
    // SAFETY: The pointer is valid and aligned, and points to a valid `T` at all times. A volatile
    // read of a word or less is the same as `atomic_read()` (`READ_ONCE()`), so it does not race
    // with atomic accesses.
    unsafe { atomic.as_ptr().read_volatile() }
}

/// A `u64` that is loaded and stored whole, like `READ_ONCE()` and `WRITE_ONCE()`: relaxed, without
/// ordering towards other memory.
///
/// If two tasks call [`Cell64::add`] on one cell at once, counts may be lost, but the value is
/// never torn. Callers make sure that there is one writer at a time (one CPU, or one task).
#[repr(transparent)]
#[derive(Zeroable)]
pub(crate) struct Cell64(UnsafeCell<u64>);

// SAFETY: The value is only accessed by aligned, word-sized volatile loads and stores. The kernel's
// memory model treats these as `READ_ONCE()` and `WRITE_ONCE()`, so concurrent ones are not data
// races. They are not torn on a 64-bit kernel, and others do not build (see `_SIZE`).
unsafe impl Sync for Cell64 {}

// SAFETY: A `u64` may move between threads.
unsafe impl Send for Cell64 {}

/// The module needs 64-bit accesses that are word-sized.
const _SIZE: () = assert!(core::mem::size_of::<usize>() == 8);

impl Cell64 {
    /// Reads the value.
    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        // SAFETY: The pointer is valid and aligned, because it comes from `self`. See the `Sync`
        // implementation for concurrent stores.
        unsafe { self.0.get().read_volatile() }
    }

    /// Replaces the value.
    #[inline(always)]
    pub(crate) fn set(&self, v: u64) {
        // SAFETY: As in `get`.
        unsafe { self.0.get().write_volatile(v) }
    }

    /// Adds to the value, wrapping. Only the one writer of the cell may call this.
    #[inline(always)]
    pub(crate) fn add(&self, v: u64) {
        self.set(self.get().wrapping_add(v));
    }

    /// Raises the value to `v` if it is lower. Only the one writer of the cell may call this.
    #[inline(always)]
    pub(crate) fn raise(&self, v: u64) {
        if v > self.get() {
            self.set(v);
        }
    }
}

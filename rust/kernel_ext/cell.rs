// SPDX-License-Identifier: GPL-2.0

//! A 64-bit cell with one writer at a time and any number of readers.
//!
//! `kernel::sync::atomic` calls a C helper for each access (bindgen cannot
//! inline them unless rustc and clang share an LLVM), which a probe on the
//! reclaim path should not pay for counters that only one CPU writes.

use core::cell::UnsafeCell;
use kernel::sync::atomic::{
    Atomic,
    AtomicType, //
};
use pin_init::Zeroable;

/// Reads an atomic as `load(Relaxed)` does, without the call of a C helper that it is: for
/// handlers.
#[inline(always)]
pub(crate) fn peek<T: AtomicType>(atomic: &Atomic<T>) -> T {
    // SAFETY: The pointer is valid and aligned, and a valid `T` is behind it at all times. A
    // volatile read of a word or less is what `atomic_read()` is (`READ_ONCE()`), and
    // so no data race with atomic accesses.
    unsafe { atomic.as_ptr().read_volatile() }
}

/// A `u64` that is loaded and stored whole, like `READ_ONCE()` and
/// `WRITE_ONCE()`: relaxed, no ordering towards other memory.
///
/// Concurrent [`Cell64::add`]s on one cell can lose counts, never corrupt:
/// callers arrange for one writer at a time (one CPU, or one task).
#[repr(transparent)]
#[derive(Zeroable)]
pub(crate) struct Cell64(UnsafeCell<u64>);

// SAFETY: All access is by aligned, word-sized volatile loads and stores,
// which the kernel's memory model treats as `READ_ONCE()`/`WRITE_ONCE()`:
// concurrent ones are not data races. reclaimwb builds for 64-bit kernels only
// (see `SIZE` below), where such an access is not torn.
unsafe impl Sync for Cell64 {}

// SAFETY: A `u64` may move between threads.
unsafe impl Send for Cell64 {}

/// The module needs word-sized 64-bit accesses.
const _SIZE: () = assert!(core::mem::size_of::<usize>() == 8);

impl Cell64 {
    /// Reads the value.
    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        // SAFETY: The pointer is valid and aligned as it comes from `self`;
        // see the `Sync` implementation for concurrent stores.
        unsafe { self.0.get().read_volatile() }
    }

    /// Replaces the value.
    #[inline(always)]
    pub(crate) fn set(&self, v: u64) {
        // SAFETY: As for `get`.
        unsafe { self.0.get().write_volatile(v) }
    }

    /// Adds to the value, wrapping. For the cell's one writer.
    #[inline(always)]
    pub(crate) fn add(&self, v: u64) {
        self.set(self.get().wrapping_add(v));
    }

    /// Raises the value to `v` if it is lower. For the cell's one writer.
    #[inline(always)]
    pub(crate) fn raise(&self, v: u64) {
        if v > self.get() {
            self.set(v);
        }
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The differences between the `kernel` crates of Linux 7.2 and 7.3. Differences in C are in
//! shim/compat.h.

use kernel::{
    bindings,
    prelude::*, //
};

/// Whether the error says that the kernel lacks what it was asked for. 7.2 has no name for it.
pub(crate) fn is_unsupported(e: Error) -> bool {
    e.to_errno().wrapping_neg() == bindings::EOPNOTSUPP as i32
}

#[cfg(not(rwb_linux_7_2))]
mod of_this_kernel {
    use super::*;
    use kernel::sync::barrier;

    pub(crate) use kernel::{
        new_spinlock_irq,
        sync::SpinLockIrq, //
    };

    /// Orders all reads and writes before it before those after it.
    pub(crate) fn smp_mb() {
        barrier::smp_mb(barrier::Full);
    }

    /// Orders all reads before it before those after it.
    pub(crate) fn smp_rmb() {
        barrier::smp_mb(barrier::Read);
    }

    /// Orders all writes before it before those after it.
    pub(crate) fn smp_wmb() {
        barrier::smp_mb(barrier::Write);
    }

    /// Initializes a value in the place where it stays.
    ///
    /// # Safety
    ///
    /// `slot` is valid for writes, and does not move from now on.
    pub(crate) unsafe fn raw_init<T>(slot: *mut T, value: impl PinInit<T>) {
        // SAFETY: By this function's contract.
        unsafe { pin_init::raw_init(slot, value) };
    }
}

#[cfg(rwb_linux_7_2)]
mod of_this_kernel {
    use super::*;

    pub(crate) use kernel::sync::barrier::{
        smp_mb,
        smp_rmb,
        smp_wmb, //
    };

    // Only the helper has such locks, and nothing calls it because there are no patches for 7.2.
    pub(crate) use kernel::{
        new_spinlock as new_spinlock_irq,
        sync::SpinLock as SpinLockIrq, //
    };

    /// Initializes a value in the place where it stays.
    ///
    /// # Safety
    ///
    /// `slot` is valid for writes, and does not move from now on.
    pub(crate) unsafe fn raw_init<T>(slot: *mut T, value: impl PinInit<T>) {
        // SAFETY: By this function's contract.
        let Ok(()) = unsafe { value.__pinned_init(slot) };
    }
}

pub(crate) use of_this_kernel::*;

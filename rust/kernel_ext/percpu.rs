// SPDX-License-Identifier: GPL-2.0

//! Per-CPU data.

use crate::{
    kernel_ext::cell::Cell64,
    shim, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::prelude::*;
use pin_init::Zeroable;

/// Proof that the task stays on its CPU: preemption is off while this value exists.
///
/// # Invariants
///
/// Preemption is disabled during the lifetime `'a`. `offset` leads from a per-CPU pointer to the
/// instance of this CPU.
pub(crate) struct Pinned<'a> {
    offset: usize,
    _pinned: PhantomData<(&'a (), *mut ())>,
}

impl Pinned<'_> {
    /// Creates the proof.
    ///
    /// # Safety
    ///
    /// The caller must keep preemption disabled for as long as the value, and what is borrowed
    /// through it, is used.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        // INVARIANT: By the safety requirement.
        Self {
            // SAFETY: By the safety requirement preemption is disabled.
            offset: unsafe { shim::rwb_percpu_offset() },
            _pinned: PhantomData,
        }
    }
}

/// Runs `f` with preemption disabled, as the C entries do for handlers. `f` must not sleep. Any
/// context.
pub(crate) fn pinned<R>(f: impl FnOnce(&Pinned<'_>) -> R) -> R {
    // SAFETY: Has no precondition, and is paired with the enable below. A panic in `f` does not
    // unwind in the kernel, so the pair is never left open.
    unsafe { shim::rwb_preempt_disable() };
    // SAFETY: Preemption was just disabled, and stays so until after the last use of the value,
    // which `f` cannot let escape.
    let r = f(&unsafe { Pinned::new() });
    // SAFETY: Pairs with the disable above.
    unsafe { shim::rwb_preempt_enable() };
    r
}

/// One `T` for each possible CPU. All are zeroed at first, and are freed on drop.
///
/// # Invariants
///
/// `ptr` is a live per-CPU allocation of a `T` that is valid on every possible CPU.
pub(crate) struct PerCpu<T: Zeroable + Sync> {
    ptr: NonNull<T>,
}

// SAFETY: The type owns per-CPU instances of `T: Sync`, and hands out shared references only.
unsafe impl<T: Zeroable + Sync + Send> Send for PerCpu<T> {}

// SAFETY: As above.
unsafe impl<T: Zeroable + Sync> Sync for PerCpu<T> {}

impl<T: Zeroable + Sync> PerCpu<T> {
    /// Allocates the instances. Sleeps. Fails with `ENOMEM`, also if `T` is larger than a per-CPU
    /// unit (at least 32 KiB).
    pub(crate) fn new() -> Result<Self> {
        const { assert!(!core::mem::needs_drop::<T>()) };
        // SAFETY: Has no precondition beyond a sleepable context.
        let ptr = unsafe {
            shim::rwb_percpu_alloc(core::mem::size_of::<T>(), core::mem::align_of::<T>())
        };
        // INVARIANT: `__alloc_percpu()` returned memory with the size and alignment of `T` for
        // every possible CPU. It is zeroed, which is a valid `T` because of `T: Zeroable`.
        Ok(Self {
            ptr: NonNull::new(ptr.cast()).ok_or(ENOMEM)?,
        })
    }

    /// Returns the instance of this CPU. Any context.
    #[inline(always)]
    pub(crate) fn this<'a>(&'a self, pin: &'a Pinned<'_>) -> &'a T {
        // This is what `per_cpu_ptr()` does, without a call for each use.
        let this = self.ptr.as_ptr().wrapping_byte_add(pin.offset);
        // SAFETY: By the type invariant the pointer is a per-CPU allocation. By the invariant of
        // `pin` the result points to the valid `T` of this CPU, which lives as long as `self` and
        // is never handed out by mutable reference.
        unsafe { &*this }
    }

    /// Returns the instances of all possible CPUs. Any context.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        // SAFETY: Has no precondition.
        let n = unsafe { shim::rwb_nr_cpu_ids() };
        (0..n)
            // SAFETY: `cpu` is less than `nr_cpu_ids`.
            .filter(|&cpu| unsafe { shim::rwb_cpu_possible(cpu) })
            .map(|cpu| {
                // SAFETY: As in `this`. The CPU is possible, so its instance is allocated.
                unsafe { &*shim::rwb_percpu_of(self.ptr.as_ptr().cast(), cpu).cast::<T>() }
            })
    }

    /// Returns the sum of what `f` reads from the instance of each CPU. Any context.
    pub(crate) fn sum(&self, f: impl Fn(&T) -> u64) -> u64 {
        self.all().fold(0, |a, t| a.wrapping_add(f(t)))
    }

    /// Returns the maximum of what `f` reads from the instances. Any context.
    pub(crate) fn max(&self, f: impl Fn(&T) -> u64) -> u64 {
        self.all().map(f).max().unwrap_or(0)
    }

    /// Returns the memory that the instances use, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.all().count().saturating_mul(core::mem::size_of::<T>())
    }
}

impl<T: Zeroable + Sync> Drop for PerCpu<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this is a live per-CPU allocation, and no reference to it
        // outlives `self`.
        unsafe { kernel::bindings::free_percpu(self.ptr.as_ptr().cast()) };
    }
}

/// A table of rows for each possible CPU, for data that is too large for [`PerCpu`]. All rows are
/// zeroed at first.
pub(crate) struct PerCpuTable<T: Zeroable + Sync> {
    rows: KVVec<T>,
    rows_per_cpu: usize,
}

impl<T: Zeroable + Sync> PerCpuTable<T> {
    /// Allocates `rows_per_cpu` rows for each CPU. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(rows_per_cpu: usize) -> Result<Self> {
        // SAFETY: Has no precondition.
        let cpus = unsafe { shim::rwb_nr_cpu_ids() } as usize;
        let len = cpus.checked_mul(rows_per_cpu).ok_or(EINVAL)?;
        let mut rows = KVVec::with_capacity(len, GFP_KERNEL)?;
        for _ in 0..len {
            rows.push(pin_init::zeroed(), GFP_KERNEL)?;
        }
        Ok(Self { rows, rows_per_cpu })
    }

    /// Returns the rows of this CPU. Any context.
    pub(crate) fn this<'a>(&'a self, _: &'a Pinned<'_>) -> &'a [T] {
        // SAFETY: Has no precondition.
        let cpu = unsafe { shim::rwb_cpu() } as usize;
        let from = cpu.saturating_mul(self.rows_per_cpu);
        let to = from.saturating_add(self.rows_per_cpu);
        self.rows.get(from..to).unwrap_or(&[])
    }

    /// Returns the rows of each CPU, as one slice for each. Any context.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[T]> {
        let cpus = self.rows.len().checked_div(self.rows_per_cpu).unwrap_or(0);
        (0..cpus).filter_map(|cpu| {
            let from = cpu.saturating_mul(self.rows_per_cpu);
            self.rows.get(from..from.saturating_add(self.rows_per_cpu))
        })
    }

    /// Returns the number of rows of each CPU. Any context.
    pub(crate) fn rows_per_cpu(&self) -> usize {
        self.rows_per_cpu
    }

    /// Returns the memory that the table uses, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.rows.as_slice())
    }
}

/// A per-CPU `T` that one handler at a time uses.
#[derive(Zeroable)]
pub(crate) struct Exclusive<T: Zeroable> {
    busy: Cell64,
    value: UnsafeCell<T>,
}

// SAFETY: The value is only reached through `with`. `busy` excludes a second user on the same CPU.
// Users on other CPUs work on the instances of their own CPUs.
unsafe impl<T: Zeroable + Send> Sync for Exclusive<T> {}

impl<T: Zeroable + Send> PerCpu<Exclusive<T>> {
    /// Runs `f` on the value of this CPU. `None` if this CPU is inside `with` already, because a
    /// probe fired inside a handler. Any context.
    pub(crate) fn with<R>(&self, pin: &Pinned<'_>, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let this = self.this(pin);
        if this.busy.get() != 0 {
            return None;
        }
        this.busy.set(1);
        // SAFETY: `busy` was 0, so nobody on this CPU uses the value. An interrupt that comes
        // between the test and the store finishes its own use before we go on. Other CPUs have
        // instances of their own, and `pin` shows that we stay on this one.
        let r = f(unsafe { &mut *this.value.get() });
        this.busy.set(0);
        Some(r)
    }
}

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

/// Proof that the task stays on its CPU: preemption is off while it exists.
///
/// # Invariants
///
/// Preemption is disabled for the lifetime `'a`; `offset` is this CPU's.
/// `offset` is what leads from a per-CPU pointer to this CPU's instance.
pub(crate) struct Pinned<'a> {
    offset: usize,
    _pinned: PhantomData<(&'a (), *mut ())>,
}

impl Pinned<'_> {
    /// # Safety
    ///
    /// Preemption must be disabled by the caller for as long as the value, and
    /// what is borrowed through it, is used.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        // INVARIANT: By the safety requirement.
        Self {
            // SAFETY: Preemption is disabled, by the safety requirement.
            offset: unsafe { shim::rwb_percpu_offset() },
            _pinned: PhantomData,
        }
    }
}

/// Runs `f` with preemption disabled, as the C entries do for handlers. `f` must
/// not sleep. Any context.
pub(crate) fn pinned<R>(f: impl FnOnce(&Pinned<'_>) -> R) -> R {
    // SAFETY: Has no precondition; paired with the enable below. A panic in
    // `f` does not unwind in the kernel, so the pair is never left open.
    unsafe { shim::rwb_preempt_disable() };
    // SAFETY: Preemption was just disabled and stays so until after the last
    // use of the value, which `f` cannot let escape.
    let r = f(&unsafe { Pinned::new() });
    // SAFETY: Pairs with the disable above.
    unsafe { shim::rwb_preempt_enable() };
    r
}

/// One `T` per possible CPU, zeroed at first, freed on drop.
///
/// # Invariants
///
/// `ptr` is a live per-CPU allocation of a `T` that is valid on every possible
/// CPU.
pub(crate) struct PerCpu<T: Zeroable + Sync> {
    ptr: NonNull<T>,
}

// SAFETY: Owns per-CPU instances of `T: Sync`, reached by shared reference only.
unsafe impl<T: Zeroable + Sync + Send> Send for PerCpu<T> {}

// SAFETY: As above.
unsafe impl<T: Zeroable + Sync> Sync for PerCpu<T> {}

impl<T: Zeroable + Sync> PerCpu<T> {
    /// Allocates. Sleeps. Fails with `ENOMEM`, also when `T` is larger than a
    /// per-CPU unit (32 KiB at least).
    pub(crate) fn new() -> Result<Self> {
        const { assert!(!core::mem::needs_drop::<T>()) };
        // SAFETY: Has no precondition beyond a sleepable context.
        let ptr = unsafe {
            shim::rwb_percpu_alloc(core::mem::size_of::<T>(), core::mem::align_of::<T>())
        };
        // INVARIANT: `__alloc_percpu()` returned memory of the size and
        // alignment of `T` for every possible CPU, zeroed, which is a valid `T`
        // because of `T: Zeroable`.
        Ok(Self {
            ptr: NonNull::new(ptr.cast()).ok_or(ENOMEM)?,
        })
    }

    /// This CPU's instance. Any context.
    #[inline(always)]
    pub(crate) fn this<'a>(&'a self, pin: &'a Pinned<'_>) -> &'a T {
        // What per_cpu_ptr() does, without a call for each.
        let this = self.ptr.as_ptr().wrapping_byte_add(pin.offset);
        // SAFETY: By the type invariant the pointer is a per-CPU allocation; by that of
        // `pin` the result points to this CPU's valid `T`, which lives as long as
        // `self` and is never handed out by mutable reference.
        unsafe { &*this }
    }

    /// Every possible CPU's instance. Any context.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        // SAFETY: Has no precondition.
        let n = unsafe { shim::rwb_nr_cpu_ids() };
        (0..n)
            // SAFETY: `cpu` is below `nr_cpu_ids`.
            .filter(|&cpu| unsafe { shim::rwb_cpu_possible(cpu) })
            .map(|cpu| {
                // SAFETY: As in `this`; the CPU is possible, so that its
                // instance is allocated.
                unsafe { &*shim::rwb_percpu_of(self.ptr.as_ptr().cast(), cpu).cast::<T>() }
            })
    }

    /// Sum over the CPUs of what `f` reads from each instance.
    pub(crate) fn sum(&self, f: impl Fn(&T) -> u64) -> u64 {
        self.all().fold(0, |a, t| a.wrapping_add(f(t)))
    }

    /// Maximum over the CPUs of what `f` reads from each instance.
    pub(crate) fn max(&self, f: impl Fn(&T) -> u64) -> u64 {
        self.all().map(f).max().unwrap_or(0)
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.all().count().saturating_mul(core::mem::size_of::<T>())
    }
}

impl<T: Zeroable + Sync> Drop for PerCpu<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this is a live per-CPU allocation, and
        // no reference to it outlives `self`.
        unsafe { kernel::bindings::free_percpu(self.ptr.as_ptr().cast()) };
    }
}

/// A table for each possible CPU, for what is too large for [`PerCpu`]; zeroed at first.
pub(crate) struct PerCpuTable<T: Zeroable + Sync> {
    rows: KVVec<T>,
    each: usize,
}

impl<T: Zeroable + Sync> PerCpuTable<T> {
    /// Allocates `each` rows for each CPU. Sleeps.
    pub(crate) fn new(each: usize) -> Result<Self> {
        // SAFETY: Has no precondition.
        let cpus = unsafe { shim::rwb_nr_cpu_ids() } as usize;
        let len = cpus.checked_mul(each).ok_or(EINVAL)?;
        let mut rows = KVVec::with_capacity(len, GFP_KERNEL)?;
        for _ in 0..len {
            rows.push(pin_init::zeroed(), GFP_KERNEL)?;
        }
        Ok(Self { rows, each })
    }

    /// This CPU's rows. Any context.
    pub(crate) fn this<'a>(&'a self, _: &'a Pinned<'_>) -> &'a [T] {
        // SAFETY: Has no precondition.
        let cpu = unsafe { shim::rwb_cpu() } as usize;
        let from = cpu.saturating_mul(self.each);
        let to = from.saturating_add(self.each);
        self.rows.get(from..to).unwrap_or(&[])
    }

    /// Of each CPU its rows. Any context.
    pub(crate) fn each(&self) -> impl Iterator<Item = &[T]> {
        let cpus = self.rows.len().checked_div(self.each).unwrap_or(0);
        (0..cpus).filter_map(|cpu| {
            let from = cpu.saturating_mul(self.each);
            self.rows.get(from..from.saturating_add(self.each))
        })
    }

    /// Every CPU's rows. Any context.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.rows.iter()
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.rows.as_slice())
    }
}

/// A per-CPU `T` that one handler at a time works with.
#[derive(Zeroable)]
pub(crate) struct Exclusive<T: Zeroable> {
    busy: Cell64,
    value: UnsafeCell<T>,
}

// SAFETY: The value is only reached through `with`, which excludes a second
// user on the same CPU by `busy`, and users on other CPUs as it works on its
// own CPU's instance alone.
unsafe impl<T: Zeroable + Send> Sync for Exclusive<T> {}

impl<T: Zeroable + Send> PerCpu<Exclusive<T>> {
    /// Runs `f` on this CPU's value; `None` when this CPU is inside `with`
    /// already (a probe that fired inside a handler). Any context.
    pub(crate) fn with<R>(&self, pin: &Pinned<'_>, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let this = self.this(pin);
        if this.busy.get() != 0 {
            return None;
        }
        this.busy.set(1);
        // SAFETY: `busy` was 0, so nobody on this CPU uses the value; an
        // interrupt that comes between the test and the store finishes its own
        // use before we go on; other CPUs have instances of their own, and we
        // stay on this one as `pin` shows.
        let r = f(unsafe { &mut *this.value.get() });
        this.busy.set(0);
        Some(r)
    }
}

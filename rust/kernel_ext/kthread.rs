// SPDX-License-Identifier: GPL-2.0

//! A kernel thread that works until it is stopped.
//!
//! C header: `include/linux/kthread.h`

use crate::{
    policy::idle::Sleeper,
    shim, //
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    error::from_err_ptr,
    prelude::*,
    sync::Arc, //
};

/// What a thread does.
pub(crate) trait Thread: Send + Sync {
    /// Works until `me` is to stop. Process context, sleeps.
    fn run(&self, me: &Me);
}

/// The current thread, as [`Thread::run`] sees it.
pub(crate) struct Me(());

impl Me {
    /// Is it to end?
    pub(crate) fn should_stop(&self) -> bool {
        // SAFETY: The current task is a kthread: only `main` makes a `Me`.
        unsafe { bindings::kthread_should_stop() }
    }

    /// How it sleeps, for `ms` milliseconds at most; 0: until it is woken.
    pub(crate) fn nap(&self, ms: u32) -> Nap<'_> {
        Nap { me: self, ms }
    }

    /// Runs `f` with PF_MEMALLOC: what it allocates may come out of the reserves, and
    /// it never reclaims.
    pub(crate) fn memalloc<R>(&self, f: impl FnOnce() -> R) -> R {
        // SAFETY: Has no precondition; ended below by the same task.
        let flags = unsafe { shim::rwb_memalloc_begin() };
        let r = f();
        // SAFETY: Pairs with the begin.
        unsafe { shim::rwb_memalloc_end(flags) };
        r
    }
}

/// A sleep of the current thread.
pub(crate) struct Nap<'a> {
    me: &'a Me,
    ms: u32,
}

impl Sleeper for Nap<'_> {
    fn begin(&self) {
        // SAFETY: Process context; the state is put back by `end`, and the time between
        // is slept, if at all, by `sleep`.
        unsafe { shim::rwb_sleep_begin() };
    }

    fn sleep(&self) {
        // What is to stop is woken, before or after we look.
        if !self.me.should_stop() {
            // SAFETY: Process context.
            unsafe { shim::rwb_sleep(self.ms) };
        }
    }

    fn end(&self) {
        // SAFETY: Has no precondition.
        unsafe { shim::rwb_sleep_end() };
    }
}

/// A thread; stopped on drop, which sleeps until it has ended.
///
/// # Invariants
///
/// `task` is a kthread that runs [`main`] for the address of `data`, and lives until
/// it is stopped.
pub(crate) struct Kthread<T: Thread> {
    task: NonNull<bindings::task_struct>,
    #[expect(dead_code, reason = "kept alive")]
    data: Arc<T>,
}

// SAFETY: The handle may be used from any thread.
unsafe impl<T: Thread> Send for Kthread<T> {}

// SAFETY: As above, concurrently.
unsafe impl<T: Thread> Sync for Kthread<T> {}

/// # Safety
///
/// `data` is a live `T`, which lives until the thread has ended.
unsafe extern "C" fn main<T: Thread>(data: *mut c_void) -> c_int {
    // SAFETY: By the safety requirement.
    let data = unsafe { &*data.cast_const().cast::<T>() };
    let me = Me(());
    data.run(&me);
    // A kthread that ends by itself is gone when it is stopped.
    let nap = me.nap(1000);
    while !me.should_stop() {
        nap.begin();
        nap.sleep();
        nap.end();
    }
    0
}

impl<T: Thread> Kthread<T> {
    /// Starts `rwb_swap<n>`. Sleeps.
    pub(crate) fn new(data: Arc<T>, n: usize) -> Result<Self> {
        // SAFETY: The format is NUL-terminated and has one int argument; `data` is kept
        // until the thread has ended.
        let task = from_err_ptr(unsafe {
            bindings::kthread_create_on_node(
                Some(main::<T>),
                Arc::as_ptr(&data).cast_mut().cast(),
                bindings::NUMA_NO_NODE,
                c"rwb_swap%d".as_char_ptr(),
                n as c_int,
            )
        })?;
        // What it does frees memory that others wait for: as kblockd, of high priority.
        // SAFETY: The task is live, as it has not run yet.
        unsafe { bindings::set_user_nice(task, -20) };
        // INVARIANT: Just made; `main` does not end before it is stopped.
        let this = Self {
            task: NonNull::new(task).ok_or(ENOMEM)?,
            data,
        };
        this.wake();
        Ok(this)
    }

    /// Wakes it. Any context.
    pub(crate) fn wake(&self) {
        // SAFETY: By the type invariant the task is live.
        unsafe { bindings::wake_up_process(self.task.as_ptr()) };
    }
}

impl<T: Thread> Drop for Kthread<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the task is live, and stopped only here.
        unsafe { bindings::kthread_stop(self.task.as_ptr()) };
    }
}

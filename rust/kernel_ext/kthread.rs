// SPDX-License-Identifier: GPL-2.0

//! A kernel thread that runs until it is stopped.
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

/// The work of a thread.
pub(crate) trait Thread: Send + Sync {
    /// Works until `thread` is told to stop. Process context; may sleep.
    fn run(&self, thread: &CurrentThread);
}

/// The current thread, as [`Thread::run`] sees it.
pub(crate) struct CurrentThread(());

impl CurrentThread {
    /// Whether the thread has been told to stop.
    pub(crate) fn should_stop(&self) -> bool {
        // SAFETY: The current task is a kthread, because only `main` makes a `CurrentThread`.
        unsafe { bindings::kthread_should_stop() }
    }

    /// Returns a sleep of at most `ms` milliseconds, or with 0 of one that lasts until the thread
    /// is woken.
    pub(crate) fn prepare_sleep(&self, ms: u32) -> ThreadSleep<'_> {
        ThreadSleep { thread: self, ms }
    }

    /// Runs `f` with PF_MEMALLOC. Allocations of `f` may use the reserves, and never reclaim.
    pub(crate) fn memalloc<R>(&self, f: impl FnOnce() -> R) -> R {
        // SAFETY: Has no precondition. The same task ends it below.
        let flags = unsafe { shim::rwb_memalloc_begin() };
        let r = f();
        // SAFETY: Pairs with the begin above.
        unsafe { shim::rwb_memalloc_end(flags) };
        r
    }
}

/// A sleep of the current thread.
pub(crate) struct ThreadSleep<'a> {
    thread: &'a CurrentThread,
    ms: u32,
}

impl Sleeper for ThreadSleep<'_> {
    fn begin(&self) {
        // SAFETY: Process context. `end` resets the task state, and only `sleep` schedules in
        // between.
        unsafe { shim::rwb_sleep_begin() };
    }

    fn sleep(&self) {
        // `kthread_stop()` wakes the thread, before or after this check.
        if !self.thread.should_stop() {
            // SAFETY: Process context.
            unsafe { shim::rwb_sleep(self.ms) };
        }
    }

    fn end(&self) {
        // SAFETY: Has no precondition.
        unsafe { shim::rwb_sleep_end() };
    }
}

/// A kernel thread. It is stopped on drop, which sleeps until the thread has ended.
///
/// # Invariants
///
/// `task` is a kthread that runs [`main`] with the address of `data`, and lives until it is
/// stopped.
pub(crate) struct Kthread<T: Thread> {
    task: NonNull<bindings::task_struct>,
    #[expect(dead_code, reason = "kept alive")]
    data: Arc<T>,
}

// SAFETY: The handle may be used from any thread.
unsafe impl<T: Thread> Send for Kthread<T> {}

// SAFETY: As above, also concurrently.
unsafe impl<T: Thread> Sync for Kthread<T> {}

/// Runs the work of a thread.
///
/// # Safety
///
/// `data` must point to a live `T`, which lives until the thread has ended.
unsafe extern "C" fn main<T: Thread>(data: *mut c_void) -> c_int {
    // SAFETY: By the safety requirement.
    let data = unsafe { &*data.cast_const().cast::<T>() };
    let thread = CurrentThread(());
    data.run(&thread);
    // `kthread_stop()` needs a live task, so the thread does not end by itself.
    let sleep = thread.prepare_sleep(1000);
    while !thread.should_stop() {
        sleep.begin();
        sleep.sleep();
        sleep.end();
    }
    0
}

impl<T: Thread> Kthread<T> {
    /// Starts a thread named `rwb_swap<n>`. Sleeps. Fails with `ENOMEM`, or `EINTR` if the current
    /// task is killed.
    pub(crate) fn new(data: Arc<T>, n: usize) -> Result<Self> {
        // SAFETY: The format is NUL-terminated and has one int argument. `data` is kept until the
        // thread has ended.
        let task = from_err_ptr(unsafe {
            bindings::kthread_create_on_node(
                Some(main::<T>),
                Arc::as_ptr(&data).cast_mut().cast(),
                bindings::NUMA_NO_NODE,
                c"rwb_swap%d".as_char_ptr(),
                n as c_int,
            )
        })?;
        // Other tasks wait for the memory that the thread frees. So it gets a high priority, like
        // kblockd.
        // SAFETY: The task is live, because it has not run yet.
        unsafe { bindings::set_user_nice(task, -20) };
        // INVARIANT: The task was just created, and `main` does not return before it is stopped.
        let this = Self {
            task: NonNull::new(task).ok_or(ENOMEM)?,
            data,
        };
        this.wake();
        Ok(this)
    }

    /// Wakes the thread. Any context.
    pub(crate) fn wake(&self) {
        // SAFETY: By the type invariant the task is live.
        unsafe { bindings::wake_up_process(self.task.as_ptr()) };
    }
}

impl<T: Thread> Drop for Kthread<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the task is live. It is stopped only here.
        unsafe { bindings::kthread_stop(self.task.as_ptr()) };
    }
}

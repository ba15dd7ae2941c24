// SPDX-License-Identifier: GPL-2.0

//! A queue of tasks that wait until they are woken, in the order in which they came, or killed.
//!
//! `kernel::sync::CondVar` has no killable wait.
//!
//! C header: `include/linux/wait.h`

use crate::shim;
use kernel::{
    bindings,
    prelude::*,
    sync::LockClassKey,
    types::Opaque, //
};

/// The number of tasks that are woken at once, with interrupts off, where all are woken.
const AT_ONCE: u32 = 32;

/// A queue of waiting tasks. A lock of its user guards the condition that they wait for.
#[pin_data]
pub(crate) struct WaitQueue {
    #[pin]
    head: Opaque<bindings::wait_queue_head>,
}

// SAFETY: A wait queue may be used from any thread.
unsafe impl Send for WaitQueue {}

// SAFETY: As above, also concurrently: a wait queue has a lock of its own.
unsafe impl Sync for WaitQueue {}

/// Sleeps for `ms` milliseconds, or until the task is killed.
pub(crate) fn sleep_killable(ms: u32) {
    // SAFETY: This is process context, which may sleep.
    unsafe { shim::rwb_sleep_killable(ms) };
}

impl WaitQueue {
    /// Initializes a queue that is empty.
    pub(crate) fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `head` is valid for writes and does not move. Name and key are static.
            head <- Opaque::ffi_init(|head| unsafe {
                bindings::__init_waitqueue_head(head, name.as_char_ptr(), key.as_ptr())
            }),
        })
    }

    /// Appends the current task, drops `held` (the guard of a lock), and sleeps until the task is
    /// woken or killed. Then takes the lock again with `lock`. Sleeps.
    ///
    /// To change the condition, a task must hold that lock, so that no waiter misses the change,
    /// and must wake as many waiters as may go on, with the lock or after it. A waiter that a signal
    /// has woken is not woken again. It has to check by itself whether it may go on.
    pub(crate) fn sleep<G>(&self, held: G, lock: impl FnOnce() -> G) -> G {
        let entry = Opaque::<bindings::wait_queue_entry>::uninit();
        // SAFETY: Both pointers are valid. The function initializes `entry`, which does not move,
        // and lives until the call below has removed it.
        unsafe { shim::rwb_wait_queue_join(self.head.get(), entry.get()) };
        drop(held);
        // SAFETY: This is process context, and the current task joined the queue with `entry`.
        unsafe { shim::rwb_wait_queue_sleep(self.head.get(), entry.get()) };
        lock()
    }

    /// Wakes the first `n` tasks. Any context.
    pub(crate) fn wake(&self, n: u32) {
        if n != 0 {
            // SAFETY: The queue is live.
            unsafe { shim::rwb_wait_queue_wake(self.head.get(), n) };
        }
    }

    /// Wakes the first `n` tasks, which may be all and many. Between some and the next ones,
    /// interrupts are on, unless the caller has them off. Any context.
    pub(crate) fn wake_all(&self, n: u32) {
        for _ in 0..n.div_ceil(AT_ONCE) {
            self.wake(AT_ONCE);
        }
    }
}

// SPDX-License-Identifier: GPL-2.0

//! A line of tasks that wait, each until it is woken, the first one first, or killed.
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

/// The line. What it is waited for is guarded by a lock of the user.
#[pin_data]
pub(crate) struct Line {
    #[pin]
    head: Opaque<bindings::wait_queue_head>,
}

// SAFETY: A wait queue may be used from any thread.
unsafe impl Send for Line {}

// SAFETY: As above, concurrently: it has a lock of its own.
unsafe impl Sync for Line {}

/// Sleeps for so many milliseconds, or until it is killed.
pub(crate) fn nap(ms: u32) {
    // SAFETY: Process context, may sleep.
    unsafe { shim::rwb_nap(ms) };
}

impl Line {
    /// Nobody waits.
    pub(crate) fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `head` is valid for writes, and does not move; name and key are static.
            head <- Opaque::ffi_init(|head| unsafe {
                bindings::__init_waitqueue_head(head, name.as_char_ptr(), key.as_ptr())
            }),
        })
    }

    /// Goes to the end of the line, gives up `held`, a lock's guard, and sleeps until it is woken
    /// or killed; then takes the lock again. Whoever changes what is waited for must hold that
    /// lock, so that none is missed, and wake as many as may go on. A task that a signal has woken
    /// is not woken again: it has to look for itself whether it may.
    pub(crate) fn sleep<G>(&self, held: G, lock: impl FnOnce() -> G) -> G {
        let entry = Opaque::<bindings::wait_queue_entry>::uninit();
        // SAFETY: Both are valid; `entry` is initialized there, does not move, and stays until
        // the call below has taken it out.
        unsafe { shim::rwb_line_join(self.head.get(), entry.get()) };
        drop(held);
        // SAFETY: Process context; the current task joined with `entry`.
        unsafe { shim::rwb_line_sleep(self.head.get(), entry.get()) };
        lock()
    }

    /// Wakes the `n` that came first. Any context.
    pub(crate) fn wake(&self, n: u32) {
        if n != 0 {
            // SAFETY: The queue is live.
            unsafe { shim::rwb_line_wake(self.head.get(), n) };
        }
    }

    /// Wakes all. Any context.
    pub(crate) fn wake_all(&self) {
        // SAFETY: The queue is live.
        unsafe { shim::rwb_line_wake(self.head.get(), 0) };
    }
}

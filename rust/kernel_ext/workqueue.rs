// SPDX-License-Identifier: GPL-2.0

//! Workqueues of our own, and a callback now and then.
//!
//! `kernel::workqueue` only offers the system's queues.

use crate::shim;
use core::{
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    prelude::*,
    sync::Arc,
    workqueue::Queue, //
};

/// An unbound workqueue that works without memory: it has a rescuer. Drained and
/// destroyed on drop, which sleeps; items that enqueue themselves must end first.
///
/// # Invariants
///
/// The pointer is a live workqueue that we own.
pub(crate) struct Workqueue(NonNull<bindings::workqueue_struct>);

// SAFETY: Workqueue functions may be called from any thread.
unsafe impl Send for Workqueue {}

// SAFETY: As above, concurrently.
unsafe impl Sync for Workqueue {}

impl Workqueue {
    /// Creates `rwb_dev<n>`. Sleeps.
    pub(crate) fn new(n: usize) -> Result<Self> {
        let flags = bindings::wq_flags_WQ_MEM_RECLAIM | bindings::wq_flags_WQ_UNBOUND;
        // SAFETY: The format is NUL-terminated and has one int argument.
        let wq = unsafe {
            bindings::alloc_workqueue_noprof(c"rwb_dev%d".as_char_ptr(), flags, 1, n as c_int)
        };
        // INVARIANT: Just created.
        NonNull::new(wq).map(Self).ok_or(ENOMEM)
    }
}

impl Deref for Workqueue {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        // SAFETY: By the type invariant it is live, and stays so during the
        // borrow.
        unsafe { Queue::from_raw(self.0.as_ptr()) }
    }
}

impl Drop for Workqueue {
    fn drop(&mut self) {
        // SAFETY: By the type invariant we own it, and nobody enqueues any more.
        unsafe { bindings::destroy_workqueue(self.0.as_ptr()) };
    }
}

/// What a [`Ticker`] calls.
pub(crate) trait Tick: Send + Sync {
    /// Does its work; returns after how many milliseconds to be called again, 0
    /// for not at all. Process context, may sleep.
    fn tick(&self) -> u32;
}

/// Calls a [`Tick`] in a worker when it was started. Waits for the call on drop.
///
/// # Invariants
///
/// `ticker` is what `rwb_ticker_new()` returned for the address of `data`.
pub(crate) struct Ticker<T: Tick> {
    ticker: NonNull<c_void>,
    data: Arc<T>,
}

// SAFETY: The handle may be used from any thread, concurrently.
unsafe impl<T: Tick> Send for Ticker<T> {}

// SAFETY: As above.
unsafe impl<T: Tick> Sync for Ticker<T> {}

/// # Safety
///
/// `data` is a live `T`.
unsafe extern "C" fn tick<T: Tick>(data: *mut c_void) -> u32 {
    // SAFETY: By the safety requirement.
    unsafe { &*data.cast_const().cast::<T>() }.tick()
}

impl<T: Tick> Ticker<T> {
    /// Creates one that is not started. Sleeps.
    pub(crate) fn new(data: Arc<T>) -> Result<Self> {
        let arg = Arc::as_ptr(&data).cast_mut().cast();
        // SAFETY: `tick` gets the `T` that it expects, which is kept until after the ticker
        // is gone.
        let ticker = unsafe { shim::rwb_ticker_new(Some(tick::<T>), arg) };
        // INVARIANT: Just made for `data`.
        Ok(Self {
            ticker: NonNull::new(ticker).ok_or(ENOMEM)?,
            data,
        })
    }

    /// Has it called in `ms` milliseconds, unless it will be anyway. Any context.
    pub(crate) fn start(&self, ms: u32) {
        // SAFETY: By the type invariant the ticker is live.
        unsafe { shim::rwb_ticker_start(self.ticker.as_ptr(), ms) };
    }

    /// What it calls.
    pub(crate) fn data(&self) -> &T {
        &self.data
    }
}

impl<T: Tick> Drop for Ticker<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the ticker is live; nobody starts it any
        // more, as that needs a reference to `self`.
        unsafe { shim::rwb_ticker_free(self.ticker.as_ptr()) };
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Workqueues of the module, and delayed calls.
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
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        rcu::synchronize_rcu,
        Arc, //
    },
    workqueue::Queue, //
};

/// An unbound workqueue with a rescuer, so that it makes progress when memory is short. It is
/// drained and destroyed on drop, which sleeps. Items that enqueue themselves must have ended by
/// then.
///
/// # Invariants
///
/// The pointer is a live workqueue that belongs to us.
pub(crate) struct Workqueue(NonNull<bindings::workqueue_struct>);

// SAFETY: Workqueue functions may be called from any thread.
unsafe impl Send for Workqueue {}

// SAFETY: As above, also concurrently.
unsafe impl Sync for Workqueue {}

impl Workqueue {
    /// Creates a workqueue named `rwb_dev<n>`. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(n: usize) -> Result<Self> {
        let flags = bindings::wq_flags_WQ_MEM_RECLAIM | bindings::wq_flags_WQ_UNBOUND;
        // SAFETY: The format is NUL-terminated and has one int argument.
        let wq = unsafe {
            bindings::alloc_workqueue_noprof(c"rwb_dev%d".as_char_ptr(), flags, 1, n as c_int)
        };
        // INVARIANT: The workqueue was just created.
        NonNull::new(wq).map(Self).ok_or(ENOMEM)
    }
}

impl Deref for Workqueue {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        // SAFETY: By the type invariant the workqueue is live, and stays so during the borrow.
        unsafe { Queue::from_raw(self.0.as_ptr()) }
    }
}

impl Drop for Workqueue {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the workqueue belongs to us. Nobody enqueues anything any
        // more.
        unsafe { bindings::destroy_workqueue(self.0.as_ptr()) };
    }
}

/// The function that a [`Ticker`] calls.
pub(crate) trait Tick: Send + Sync {
    /// Does the work, and returns after how many milliseconds it is to be called again; 0 for not
    /// again. Process context; may sleep.
    fn tick(&self) -> u32;
}

/// Calls a [`Tick`] in a worker some time after it is started. On drop it waits until the call has
/// ended.
///
/// # Invariants
///
/// `rwb_ticker_new()` returned `ticker` for the address of `data`.
pub(crate) struct Ticker<T: Tick> {
    ticker: NonNull<c_void>,
    data: Arc<T>,
}

// SAFETY: The handle may be used from any thread, concurrently.
unsafe impl<T: Tick> Send for Ticker<T> {}

// SAFETY: As above.
unsafe impl<T: Tick> Sync for Ticker<T> {}

/// Calls the [`Tick`] of a ticker.
///
/// # Safety
///
/// `data` must point to a live `T`.
unsafe extern "C" fn tick<T: Tick>(data: *mut c_void) -> u32 {
    // SAFETY: By the safety requirement.
    unsafe { &*data.cast_const().cast::<T>() }.tick()
}

impl<T: Tick> Ticker<T> {
    /// Creates a ticker that is not started. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(data: Arc<T>) -> Result<Self> {
        let arg = Arc::as_ptr(&data).cast_mut().cast();
        // SAFETY: `tick` gets the `T` that it expects, which is kept until after the ticker is
        // freed.
        let ticker = unsafe { shim::rwb_ticker_new(Some(tick::<T>), arg) };
        // INVARIANT: The ticker was just created for `data`.
        Ok(Self {
            ticker: NonNull::new(ticker).ok_or(ENOMEM)?,
            data,
        })
    }

    /// Starts the ticker: the call comes in `ms` milliseconds, or earlier if it was started before.
    /// Any context.
    pub(crate) fn start(&self, ms: u32) {
        // SAFETY: By the type invariant the ticker is live.
        unsafe { shim::rwb_ticker_start(self.ticker.as_ptr(), ms) };
    }

    /// Returns the data of the call.
    pub(crate) fn data(&self) -> &T {
        &self.data
    }
}

/// Starts a [`Ticker`] on behalf of code that does not know which ticker that is.
///
/// # Invariants
///
/// The address is 0, or that of a live ticker.
pub(crate) struct Doorbell(Atomic<usize>);

impl Doorbell {
    /// Creates one that belongs to no ticker.
    pub(crate) const fn new() -> Self {
        // INVARIANT: The address is 0.
        Self(Atomic::new(0))
    }

    /// Starts the ticker, if there is one: see [`Ticker::start`]. Any context, with preemption off.
    pub(crate) fn ring(&self, ms: u32) {
        let ticker = self.0.load(Acquire);
        if ticker != 0 {
            // SAFETY: By the type invariant the ticker was live just now. `DoorbellTicker::drop`
            // waits until preemption has been on everywhere before it frees the ticker.
            unsafe { shim::rwb_ticker_start(ticker as *mut c_void, ms) };
        }
    }
}

/// A [`Ticker`] that the [`Doorbell`] in what `B` points to starts. On drop it waits until its call
/// has ended.
pub(crate) struct DoorbellTicker<T: Tick, B: Deref<Target: AsRef<Doorbell>>> {
    /// Freed after the doorbell has forgotten it.
    _ticker: Ticker<T>,
    doorbell: B,
}

impl<T: Tick, B: Deref<Target: AsRef<Doorbell>>> DoorbellTicker<T, B> {
    /// Creates a ticker that is not started. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(data: Arc<T>, doorbell: B) -> Result<Self> {
        let ticker = Ticker::new(data)?;
        let address = ticker.ticker.as_ptr() as usize;
        // INVARIANT: The ticker is live until `drop` has taken its address out.
        doorbell.as_ref().0.store(address, Release);
        Ok(Self {
            _ticker: ticker,
            doorbell,
        })
    }
}

impl<T: Tick, B: Deref<Target: AsRef<Doorbell>>> Drop for DoorbellTicker<T, B> {
    fn drop(&mut self) {
        self.doorbell.as_ref().0.store(0, Release);
        synchronize_rcu();
    }
}

impl<T: Tick> Drop for Ticker<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the ticker is live. Nobody can start it any more, because
        // that needs a reference to `self`.
        unsafe { shim::rwb_ticker_free(self.ticker.as_ptr()) };
    }
}

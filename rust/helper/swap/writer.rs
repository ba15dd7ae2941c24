// SPDX-License-Identifier: GPL-2.0

//! The writer of a lane: it submits what was handed over, in the order of swap areas and slots.
//!
//! It submits what there is, as much as fills the device. In between it looks for requests that
//! came meanwhile, because they may lie side by side with those that it has.
//!
//! Context: a kernel thread with PF_MEMALLOC. What it allocates may come out of the reserves, and
//! it never reclaims. Sleeps.
//!
//! Locks: the lane's `at_hand` mutex, which nobody else takes. A lane's own lock is innermost.

use super::{
    lane::{
        QueuedRequest,
        SwapLane, //
    },
    SwapState, //
};
use crate::{
    kernel_ext::{
        kthread::{
            CurrentThread,
            Thread, //
        },
        percpu::pinned,
        plug::plugged,
        system, //
    },
    policy::{
        idle,
        link,
        order::{
            self,
            Place, //
        },
        reserve::Reserve, //
    },
    words::Origin, //
};
use kernel::{
    alloc::{
        kvec::InsertError,
        KVVec, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// The most requests that the writer has at hand.
const PENDING: usize = 1024;

/// The requests that the writer has at hand, and its state.
struct WriterState {
    /// Requests that are sorted by place.
    pending: KVVec<QueuedRequest>,
    /// Requests that were taken from the queue, the oldest last.
    fresh: KVVec<QueuedRequest>,
    reserve: Reserve,
    /// The device that the requests belong to.
    device: u32,
    /// The place of the last request that was submitted.
    last: Place,
}

/// The writer thread of a lane.
#[pin_data]
pub(super) struct Writer {
    shared: Arc<SwapState>,
    index: usize,
    #[pin]
    at_hand: Mutex<WriterState>,
}

impl Writer {
    /// Returns the memory that a writer takes whose lane has room for `requests`, in bytes.
    pub(super) const fn bytes(requests: usize) -> usize {
        let requests = requests.saturating_add(PENDING);
        core::mem::size_of::<Self>()
            .saturating_add(requests.saturating_mul(core::mem::size_of::<QueuedRequest>()))
    }

    /// Creates the writer of a lane that has room for `requests`. Sleeps.
    pub(super) fn new(shared: Arc<SwapState>, index: usize, requests: usize) -> Result<Arc<Self>> {
        let work = WriterState {
            pending: KVVec::with_capacity(PENDING, GFP_KERNEL)?,
            fresh: KVVec::with_capacity(requests, GFP_KERNEL)?,
            reserve: Reserve::new(),
            device: 0,
            last: Place::default(),
        };
        Arc::pin_init(
            pin_init!(Self {
                shared,
                index,
                at_hand <- new_mutex!(work, "reclaimwb_writer"),
            }),
            GFP_KERNEL,
        )
    }

    fn count(&self, f: impl FnOnce(&crate::ledgers::handoff::Handoff)) {
        pinned(|pin| f(self.shared.ledgers.handoff.this(pin)));
    }
}

impl Thread for Writer {
    fn run(&self, thread: &CurrentThread) {
        let Some(lane) = self.shared.table.get(self.index) else {
            return;
        };
        let mut work = self.at_hand.lock();
        loop {
            work.refill(lane);
            let (holds, stops) = (!work.pending.is_empty(), thread.should_stop());
            // A writer that stops submits all it has. The device may have stopped answering, and
            // the writer would wait here for it.
            if holds && (stops || lane.may_submit()) {
                work.write(self, thread, lane, stops);
            } else if stops {
                // Nothing comes any more, and nothing is left.
                return;
            } else {
                idle::sleep(&lane.idle, &thread.prepare_sleep(0), || {
                    lane.has_work(holds)
                });
                self.count(|l| l.wakeups.add(1));
            }
        }
    }
}

impl WriterState {
    /// Moves the requests that were handed over to their places in `pending`.
    fn refill(&mut self, lane: &SwapLane) {
        if self.fresh.is_empty() {
            lane.swap_queue(&mut self.fresh);
            self.fresh.reverse();
        }
        while self.pending.len() < self.pending.capacity() {
            let Some(request) = self.fresh.pop() else {
                break;
            };
            self.insert(request);
        }
    }

    fn insert(&mut self, request: QueuedRequest) {
        let at = self.pending.partition_point(|r| r.place < request.place);
        match self.pending.insert_within_capacity(at, request) {
            Ok(()) => {}
            // This cannot happen, because no more was taken than there is room for. If it does, the
            // request is submitted when it is dropped.
            Err(InsertError::IndexOutOfBounds(_) | InsertError::OutOfCapacity(_)) => {}
        }
    }

    /// Submits a batch.
    fn write(&mut self, writer: &Writer, thread: &CurrentThread, lane: &SwapLane, all: bool) {
        if self.device != lane.device() {
            self.device = lane.device();
            self.reserve = Reserve::new();
        }
        let stats = lane.stats();
        let oldest = self.pending.iter().min_by_key(|r| r.taken);
        if let Some(request) = oldest {
            let waited = system::mono_ns().saturating_sub(request.taken);
            if waited > link::old_after(stats.limit, stats.rate) {
                self.last = request.place;
            }
        }
        let (before, min) = system::free_pages();
        let task = system::task();
        let ledgers = &writer.shared.ledgers;
        let most = link::batch(stats.limit, stats.rate);
        let pages = thread.memalloc(|| {
            ledgers.begin_own_window(task, Origin::Writer);
            let pages = plugged(|| self.submit(most, writer, lane, all));
            ledgers.end_own_window(task);
            pages
        });
        writer.count(|l| l.record_batch(pages));
        let (after, _) = system::free_pages();
        self.reserve.record_batch(pages, before, after);
        lane.set_reserve(self.reserve.limit(after, min, lane.stats().in_flight));
    }

    /// Submits requests of `most` pages together, as many as the device may have, or without this
    /// limit if `all`, but at least one request. Returns the number of pages.
    fn submit(&mut self, most: u32, writer: &Writer, lane: &SwapLane, all: bool) -> u32 {
        let mut pages = 0u32;
        while pages == 0 || all || lane.may_submit() {
            let Some(request) = self.next(most.saturating_sub(pages), pages == 0) else {
                break;
            };
            pages = pages.saturating_add(request.pages);
            self.last = request.place;
            let us = system::mono_ns().saturating_sub(request.taken) / 1000;
            writer.count(|l| l.record_written(request.pages, us));
            let sent = lane.begin(&request);
            request.prepared.submit(sent);
        }
        pages
    }

    /// Takes the next request if it has no more than `most` pages, or whatever its size if `any`.
    fn next(&mut self, most: u32, any: bool) -> Option<QueuedRequest> {
        let at = order::next_index(&self.pending, self.last, |r| r.place);
        let fits = any || self.pending.get(at)?.pages <= most;
        match fits {
            true => self.pending.remove(at).ok(),
            false => None,
        }
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The writer of a lane: swaps out what was handed over, in the order of swap slots.
//!
//! One batch at a time, submitted before the writer sleeps for anything. While a request
//! is in flight it gathers a whole batch, as a device that is busy loses nothing by that;
//! what it finds idle gets what there is.
//!
//! Context: a kernel thread with PF_MEMALLOC: what it allocates may come out of the
//! reserves, and it never reclaims. Sleeps.
//!
//! Locks: the lane's `at_hand` mutex (nobody else takes it), folio lock (tried; given up
//! by the kernel before anything blocks). A lane's queue is innermost.

use super::{
    lane::{
        Handed,
        Lane, //
    },
    Shared, //
};
use crate::{
    handoff::Skip,
    kernel_ext::{
        kthread::{
            Me,
            Thread, //
        },
        percpu::pinned,
        swap::{
            self,
            SwapIo, //
        },
        system, //
    },
    origin::Origin,
    params,
    policy::{
        idle,
        link::{
            self,
            Link, //
        },
        reserve::Reserve, //
    },
};
use kernel::{
    alloc::{
        kvec::InsertError,
        KVVec, //
    },
    new_mutex,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// Folios that the writer has at hand at most.
const PENDING: usize = 1024;

/// Folios that are taken from the queue at once.
const FRESH: usize = 32;

/// How often a folio is tried that someone has locked, or off its list.
const TRIES: u32 = 8;

/// The time between, in microseconds: it is a reclaimer that just handed it over, as a
/// rule, and about to be done with its batch.
const TRY_US: i64 = 200;

/// The writer looks after so many milliseconds, whatever happens.
const LOOK_MS: u32 = 1000;

/// What the writer has at hand.
struct Work {
    /// Sorted by slot.
    pending: KVVec<Handed>,
    fresh: KVVec<Handed>,
    link: Link,
    reserve: Reserve,
    /// The device that they are of.
    device: u32,
    /// Where the last batch ended.
    last: u64,
    /// The limit kept a batch back.
    limited: bool,
}

/// The thread.
#[pin_data]
pub(super) struct Writer {
    shared: Arc<Shared>,
    index: usize,
    #[pin]
    at_hand: Mutex<Work>,
}

impl Writer {
    /// Memory that it takes.
    pub(super) const BYTES: usize =
        core::mem::size_of::<Self>() + (PENDING + FRESH) * core::mem::size_of::<Handed>();

    /// The writer of a lane. Sleeps.
    pub(super) fn new(shared: Arc<Shared>, index: usize) -> Result<Arc<Self>> {
        let work = Work {
            pending: KVVec::with_capacity(PENDING, GFP_KERNEL)?,
            fresh: KVVec::with_capacity(FRESH, GFP_KERNEL)?,
            link: Link::new(),
            reserve: Reserve::new(),
            device: 0,
            last: 0,
            limited: false,
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

    fn count(&self, f: impl FnOnce(&crate::handoff::Handoff)) {
        pinned(|pin| f(self.shared.observer.handoff.this(pin)));
    }

    /// Sleeps until there may be something to do.
    fn sleep(&self, me: &Me, lane: &Lane, ready: impl Fn() -> bool) {
        idle::sleep(&lane.idle, &me.nap(LOOK_MS), ready);
        self.count(|l| l.wakeups.add(1));
    }
}

impl Thread for Writer {
    fn run(&self, me: &Me) {
        let Some(lane) = self.shared.table.get(self.index) else {
            return;
        };
        let mut work = self.at_hand.lock();
        while !me.should_stop() {
            work.refill(lane);
            work.control(lane);
            let limit = work.limit(lane);
            let batch = link::batch(limit);
            let nr = work.batch_pages(batch);
            let in_flight = lane.in_flight();
            if nr == 0 {
                self.sleep(me, lane, || lane.waits());
            } else if in_flight > 0 && nr < batch && in_flight < limit {
                // A busy device: the rest of a batch, or one that ends, comes first.
                self.sleep(me, lane, || lane.waits() || lane.in_flight() != in_flight);
            } else if !link::admits(limit, in_flight, nr) {
                work.limited = true;
                self.sleep(me, lane, || lane.in_flight() != in_flight);
            } else {
                work.write(batch, self, me, lane);
            }
        }
        work.drop_all(self, lane);
    }
}

impl Work {
    /// Moves what was handed over to its place.
    fn refill(&mut self, lane: &Lane) {
        while self.pending.len() + FRESH <= self.pending.capacity() {
            lane.take(&mut self.fresh);
            if self.fresh.is_empty() {
                break;
            }
            while let Some(handed) = self.fresh.pop() {
                self.insert(lane, handed);
            }
        }
    }

    fn insert(&mut self, lane: &Lane, handed: Handed) {
        let at = self.pending.partition_point(|h| h.slot < handed.slot);
        match self.pending.insert_within_capacity(at, handed) {
            Ok(()) => {}
            // Can't be: no more was taken than there is room for.
            Err(InsertError::IndexOutOfBounds(h) | InsertError::OutOfCapacity(h)) => {
                lane.release(h);
            }
        }
    }

    /// Index of the first folio of the next batch: up from where the last one ended, and
    /// round.
    fn first(&self) -> usize {
        let at = self.pending.partition_point(|h| h.slot < self.last);
        if at < self.pending.len() {
            at
        } else {
            0
        }
    }

    /// Pages of the next batch, of `most` (but for a single larger folio).
    fn batch_pages(&self, most: u32) -> u32 {
        let mut pages = 0u32;
        let from = self.first();
        let rest = self.pending.iter().skip(from);
        for h in Iterator::chain(rest, self.pending.iter().take(from)) {
            if pages != 0 && pages.saturating_add(h.nr_pages) > most {
                break;
            }
            pages = pages.saturating_add(h.nr_pages);
        }
        pages
    }

    /// Looks how the device does.
    fn control(&mut self, lane: &Lane) {
        let done = lane.sample();
        if self.device != lane.device() {
            self.device = lane.device();
            self.link = Link::new();
            self.reserve = Reserve::new();
        }
        let limited = core::mem::take(&mut self.limited);
        self.link.took(&done, limited, system::clock_ns());
        lane.rate.store(self.link.rate(), Relaxed);
        lane.rtt.store(self.link.rtt(), Relaxed);
        let room = link::room(self.link.limit(), params::ring_pages() as u32);
        lane.room.store(room, Relaxed);
    }

    /// Pages that may be in flight.
    fn limit(&self, lane: &Lane) -> u32 {
        let (free, min) = system::free_pages();
        let reserve = self.reserve.limit(free, min, lane.in_flight());
        let limit = self.link.limit().min(reserve);
        lane.reserve.store(reserve, Relaxed);
        lane.limit.store(limit, Relaxed);
        limit
    }

    /// Writes a batch of `most` pages, and submits it.
    fn write(&mut self, most: u32, writer: &Writer, me: &Me, lane: &Lane) {
        let (before, _) = system::free_pages();
        let task = system::task();
        let observer = &writer.shared.observer;
        let done = lane.submitting(|| {
            me.memalloc(|| {
                observer.begin_own(task, Origin::Writer);
                let done = swap::plugged(|| {
                    let mut io = SwapIo::new(writer.shared.cookie(writer.index));
                    self.write_to(most, &mut io, writer, lane)
                });
                observer.end_own(task);
                done
            })
        });
        let (written, pages) = done.unwrap_or((0, 0));
        if pages != 0 {
            let (after, _) = system::free_pages();
            self.reserve.took(pages, before, after);
        }
        if written == 0 {
            // All are locked, or on nobody's list but a reclaimer's.
            fsleep(Delta::from_micros(TRY_US));
        }
    }

    /// Writes the folios of a batch; returns how many were decided, and pages that are
    /// in requests.
    fn write_to(&mut self, most: u32, io: &mut SwapIo, writer: &Writer, lane: &Lane) -> (u32, u32) {
        let (mut decided, mut asked, mut pages) = (0, 0u32, 0u32);
        let mut at = self.first();
        let mut left = self.pending.len();
        while left > 0 {
            left -= 1;
            if at >= self.pending.len() {
                at = 0;
            }
            let Some(h) = self.pending.get_mut(at) else {
                break;
            };
            let nr = h.nr_pages;
            if asked != 0 && asked.saturating_add(nr) > most {
                break;
            }
            let slot = h.slot;
            let Some(fate) = Self::write_one(io, lane, h) else {
                at += 1;
                continue;
            };
            asked = asked.saturating_add(nr);
            decided += 1;
            self.last = slot;
            if let Ok(h) = self.pending.remove(at) {
                let us = system::clock_ns().saturating_sub(h.taken) / 1000;
                writer.count(|l| match fate {
                    Ok(_) => l.wrote(nr, us),
                    Err(why) => l.skip(why, us),
                });
                if fate.is_ok() {
                    lane.written.fetch_add(1, Relaxed);
                }
                lane.release(h);
            }
            pages = pages.saturating_add(fate.unwrap_or(0));
        }
        if pages != 0 {
            writer.count(|l| l.batch(pages));
        }
        (decided, pages)
    }

    /// Writes a folio: pages that are in a request, or why not; `None` to try again.
    fn write_one(io: &mut SwapIo, lane: &Lane, h: &mut Handed) -> Option<Result<u32, Skip>> {
        h.tries = h.tries.saturating_add(1);
        let last = h.tries > TRIES;
        let Some(locked) = h.folio.try_lock() else {
            return last.then_some(Err(Skip::Locked));
        };
        let state = h.folio.swap_state();
        if !state.on_lru() {
            return last.then_some(Err(Skip::Isolated));
        }
        let why = if !state.swappable() {
            Skip::Gone
        } else if state.mapped() {
            Skip::Mapped
        } else if state.writeback() {
            Skip::Writeback
        } else if !state.dirty() {
            Skip::Clean
        } else {
            // Before a request can be done.
            lane.begin(h.nr_pages);
            let pages = io.write(locked);
            let needless = h.nr_pages.saturating_sub(pages.unwrap_or(0));
            if needless != 0 {
                lane.end(needless);
            }
            return Some(pages.ok_or(Skip::Refused));
        };
        Some(Err(why))
    }

    /// Gives up what is pending: the helper goes.
    fn drop_all(&mut self, writer: &Writer, lane: &Lane) {
        loop {
            self.refill(lane);
            let Some(h) = self.pending.pop() else {
                break;
            };
            let us = system::clock_ns().saturating_sub(h.taken) / 1000;
            writer.count(|l| l.skip(Skip::Dropped, us));
            lane.release(h);
        }
    }
}

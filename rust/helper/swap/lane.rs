// SPDX-License-Identifier: GPL-2.0

//! What hook, writer, the end of its requests, and readers share of a swap device.
//!
//! Locks: the queue's, innermost. The end of requests takes none: it runs in interrupts.

use crate::{
    kernel_ext::{
        fs::FolioRef,
        system, //
    },
    policy::{
        handoff::{
            self,
            LATE_NS,
            STUCK_NS, //
        },
        idle,
        link,
        slots, //
    },
};
use kernel::{
    alloc::KVVec,
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        SpinLock, //
    },
};

/// Places of the table of what is queued.
const SEEN: usize = 1024;

/// A folio that reclaim handed over.
pub(crate) struct Handed {
    /// The folio.
    pub(crate) folio: FolioRef,
    /// What it is sorted by.
    pub(crate) slot: u64,
    /// When it was taken, in local clock nanoseconds.
    pub(crate) taken: u64,
    /// Its size in pages.
    pub(crate) nr_pages: u32,
    /// How often its folio was not to be had.
    pub(crate) tries: u32,
}

/// Whether the writer sleeps.
pub(crate) struct Idle(Atomic<bool>);

impl idle::Flag for Idle {
    fn swap(&self, asleep: bool) -> bool {
        self.0.xchg(asleep, Full)
    }
}

/// State of a lane.
#[pin_data]
pub(crate) struct Lane {
    /// What waits for the writer.
    #[pin]
    queue: SpinLock<KVVec<Handed>>,
    /// Addresses of queued folios, by hash; one may drive out another.
    seen: KVVec<Atomic<usize>>,
    /// The device, 0: none.
    device: Atomic<u32>,
    /// Its queue can block.
    blocking: Atomic<bool>,
    /// The writer sleeps, and wants to know of what is queued.
    pub(crate) idle: Idle,
    /// Folios and pages that are taken and not decided.
    pub(crate) folios: Atomic<i64>,
    /// See `folios`.
    pub(crate) pages: Atomic<i64>,
    /// Pages that may wait.
    pub(crate) room: Atomic<u32>,
    /// Pages in flight.
    pub(crate) inflight: Atomic<i64>,
    /// Pages that may be.
    pub(crate) limit: Atomic<u32>,
    /// Pages that may be, as far as the reserves go.
    pub(crate) reserve: Atomic<u32>,
    /// Pages a second that the device takes; 0: not known.
    pub(crate) rate: Atomic<u64>,
    /// The least that a request took of late, in ns.
    pub(crate) rtt: Atomic<u64>,
    /// What `link::Done` is made of.
    done: Atomic<u64>,
    busy: Atomic<u64>,
    busy_since: Atomic<u64>,
    requests: Atomic<u64>,
    took: Atomic<u64>,
    quickest: Atomic<u64>,
    /// When a request was done last, or something was begun with none in flight.
    progress: Atomic<u64>,
    /// When a request was done last, 0: none was.
    finished: Atomic<u64>,
    /// Requests in a row that failed, and when the last of them did.
    failed: Atomic<u32>,
    failed_at: Atomic<u64>,
    /// Since when the writer submits a batch, 0: it does not.
    submits: Atomic<u64>,
    /// Folios taken, and written.
    pub(crate) taken: Atomic<u64>,
    /// See `taken`.
    pub(crate) written: Atomic<u64>,
}

impl Lane {
    /// A lane whose queue has room for `pages` folios. Sleeps.
    pub(crate) fn new(pages: usize) -> Result<Pin<KBox<Self>>> {
        let queue = KVVec::with_capacity(pages, GFP_KERNEL)?;
        let mut seen = KVVec::with_capacity(SEEN, GFP_KERNEL)?;
        for _ in 0..SEEN {
            seen.push(Atomic::new(0), GFP_KERNEL)?;
        }
        let first = link::Link::new().limit();
        let first_room = link::room(first, pages as u32);
        KBox::pin_init(
            pin_init!(Self {
                queue <- new_spinlock!(queue, "reclaimwb_handed"),
                seen,
                device: Atomic::new(0),
                blocking: Atomic::new(false),
                idle: Idle(Atomic::new(false)),
                folios: Atomic::new(0),
                pages: Atomic::new(0),
                room: Atomic::new(first_room),
                inflight: Atomic::new(0),
                limit: Atomic::new(first),
                reserve: Atomic::new(u32::MAX),
                rate: Atomic::new(0),
                rtt: Atomic::new(0),
                done: Atomic::new(0),
                busy: Atomic::new(0),
                busy_since: Atomic::new(0),
                requests: Atomic::new(0),
                took: Atomic::new(0),
                quickest: Atomic::new(u64::MAX),
                progress: Atomic::new(0),
                finished: Atomic::new(0),
                failed: Atomic::new(0),
                failed_at: Atomic::new(0),
                submits: Atomic::new(0),
                taken: Atomic::new(0),
                written: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }

    fn place(&self, folio: usize) -> Option<&Atomic<usize>> {
        let i = slots::probe_sequence(folio as u64, SEEN).next()?;
        self.seen.get(i)
    }

    /// Is the folio queued, as far as is known?
    pub(crate) fn has(&self, folio: usize) -> bool {
        self.place(folio).is_some_and(|p| p.load(Relaxed) == folio)
    }

    /// Is there room for `nr` pages more? A folio that is larger than all that may
    /// wait, waits alone.
    pub(crate) fn has_room(&self, nr: u32) -> bool {
        let pages = self.pages.load(Relaxed).max(0);
        pages == 0 || pages + i64::from(nr) <= i64::from(self.room.load(Relaxed))
    }

    /// Queues a folio; gives it back if there is no place. Does not sleep.
    pub(crate) fn push(&self, handed: Handed) -> Result<(), Handed> {
        let (key, nr) = (handed.folio.key(), handed.nr_pages);
        // Counted first: the writer counts it down.
        self.folios.fetch_add(1, Relaxed);
        self.pages.fetch_add(i64::from(nr), Relaxed);
        let pushed = self.queue.lock().push_within_capacity(handed);
        match pushed {
            Ok(()) => {
                if let Some(place) = self.place(key) {
                    place.store(key, Relaxed);
                }
                self.taken.fetch_add(1, Relaxed);
                Ok(())
            }
            Err(e) => {
                self.folios.fetch_sub(1, Relaxed);
                self.pages.fetch_sub(i64::from(nr), Relaxed);
                Err(e.0)
            }
        }
    }

    /// Moves what is queued to `into`, as far as that has room. Does not sleep.
    pub(crate) fn take(&self, into: &mut KVVec<Handed>) {
        let mut queue = self.queue.lock();
        while into.len() < into.capacity() {
            let Some(handed) = queue.pop() else {
                break;
            };
            // There is room, so nothing is dropped under the lock.
            let _ = into.push_within_capacity(handed);
        }
    }

    /// Does something wait in the queue?
    pub(crate) fn waits(&self) -> bool {
        !self.queue.lock().is_empty()
    }

    /// A folio is decided; drops the reference. May free the folio.
    pub(crate) fn release(&self, handed: Handed) {
        let key = handed.folio.key();
        if let Some(place) = self.place(key) {
            if place.load(Relaxed) == key {
                place.store(0, Relaxed);
            }
        }
        self.folios.fetch_sub(1, Relaxed);
        self.pages.fetch_sub(i64::from(handed.nr_pages), Relaxed);
        drop(handed);
    }

    // --- the device

    /// Pages in flight.
    pub(crate) fn in_flight(&self) -> u32 {
        u32::try_from(self.inflight.load(Relaxed)).unwrap_or(0)
    }

    /// `nr` pages are about to be in flight. For the writer.
    pub(crate) fn begin(&self, nr: u32) {
        let now = system::clock_ns();
        if self.inflight.fetch_add(i64::from(nr), Relaxed) == 0 {
            self.busy_since.store(now, Relaxed);
            self.progress.store(now, Relaxed);
        }
    }

    /// `nr` pages that were begun needed no request. For the writer.
    pub(crate) fn end(&self, nr: u32) {
        self.land(i64::from(nr));
    }

    fn land(&self, nr: i64) {
        let now = system::clock_ns();
        if self.inflight.fetch_sub(nr, Relaxed) <= nr {
            let since = self.busy_since.load(Relaxed);
            self.busy.fetch_add(now.saturating_sub(since), Relaxed);
        }
        self.progress.store(now, Relaxed);
    }

    /// A request of `nr` pages failed, which says nothing of how fast the device is. Any
    /// context.
    pub(crate) fn failed(&self, nr: u32) {
        self.failed_at.store(system::clock_ns(), Relaxed);
        self.failed.fetch_add(1, Relaxed);
        self.land(i64::from(nr));
    }

    /// Does all that is written to it fail? See [`handoff::failing`].
    pub(crate) fn failing(&self) -> bool {
        let ago = || system::clock_ns().saturating_sub(self.failed_at.load(Relaxed));
        let in_a_row = self.failed.load(Relaxed);
        in_a_row != 0 && handoff::failing(in_a_row, ago())
    }

    /// Has nothing that was written to it of late succeeded? Then what it still has in flight
    /// is not to be waited for.
    pub(crate) fn broken(&self) -> bool {
        self.failed.load(Relaxed) >= handoff::FAILS
    }

    /// A request of `nr` pages is done after `ns`. Any context.
    pub(crate) fn finished(&self, nr: u32, ns: u64) {
        self.done.fetch_add(u64::from(nr), Relaxed);
        self.requests.fetch_add(1, Relaxed);
        self.took.fetch_add(ns, Relaxed);
        if ns < self.quickest.load(Relaxed) {
            self.quickest.store(ns, Relaxed);
        }
        self.finished.store(system::clock_ns(), Relaxed);
        self.failed.store(0, Relaxed);
        self.land(i64::from(nr));
    }

    /// Takes what was done since the last call. For the writer.
    pub(crate) fn sample(&self) -> link::Done {
        let now = system::clock_ns();
        if self.inflight.load(Relaxed) > 0 {
            // Up to now, as it is not over.
            let since = self.busy_since.xchg(now, Relaxed);
            self.busy.fetch_add(now.saturating_sub(since), Relaxed);
        }
        link::Done {
            pages: self.done.xchg(0, Relaxed),
            busy: self.busy.xchg(0, Relaxed),
            requests: self.requests.xchg(0, Relaxed),
            ns: self.took.xchg(0, Relaxed),
            quickest: self.quickest.xchg(u64::MAX, Relaxed),
        }
    }

    /// Runs `f`, which submits, and may block in the device.
    pub(crate) fn submitting<R>(&self, f: impl FnOnce() -> R) -> R {
        self.submits.store(system::clock_ns().max(1), Relaxed);
        let r = f();
        self.submits.store(0, Relaxed);
        r
    }

    /// Has it done nothing of what it was given for longer than `ns`?
    fn silent(&self, ns: u64) -> bool {
        let now = system::clock_ns();
        let long = |since: u64| now.saturating_sub(since) > ns;
        let submits = self.submits.load(Relaxed);
        let busy = submits != 0 && long(submits) || self.inflight.load(Relaxed) > 0;
        busy && long(self.progress.load(Relaxed))
    }

    /// Does the device not answer? See [`STUCK_NS`].
    pub(crate) fn stuck(&self) -> bool {
        self.silent(STUCK_NS)
    }

    /// Is it late? See [`LATE_NS`].
    pub(crate) fn late(&self) -> bool {
        self.silent(LATE_NS)
    }

    /// Has a request of it been done of late?
    pub(crate) fn goes_on(&self) -> bool {
        let last = self.finished.load(Relaxed);
        last != 0 && system::clock_ns().saturating_sub(last) <= LATE_NS
    }

    /// Is something queued or in flight? If the device is stuck, too: then reclaim gives
    /// it no more, but has no better than to wait for what it has.
    pub(crate) fn is_busy(&self) -> bool {
        self.folios.load(Relaxed) > 0 || self.inflight.load(Relaxed) > 0
    }

    /// Can its queue block?
    pub(crate) fn blocks(&self) -> bool {
        self.blocking.load(Relaxed)
    }

    /// The device; 0: none.
    pub(crate) fn device(&self) -> u32 {
        self.device.load(Acquire)
    }

    /// Is it that device's?
    pub(super) fn serves(&self, device: u32) -> bool {
        self.device() == device
    }

    /// Is nothing of its device queued or in flight?
    pub(super) fn unused(&self) -> bool {
        self.folios.load(Relaxed) == 0 && self.inflight.load(Relaxed) <= 0
    }

    /// From now on it is that device's. For one at a time.
    pub(super) fn serve(&self, device: u32, blocking: bool) {
        self.blocking.store(blocking, Relaxed);
        self.taken.store(0, Relaxed);
        self.written.store(0, Relaxed);
        self.rate.store(0, Relaxed);
        self.failed.store(0, Relaxed);
        self.device.store(device, Release);
    }

    /// Memory that one takes, whose queue has room for `pages` folios, in bytes.
    pub(super) const fn bytes(pages: usize) -> usize {
        core::mem::size_of::<Self>()
            + pages * core::mem::size_of::<Handed>()
            + SEEN * core::mem::size_of::<usize>()
    }
}

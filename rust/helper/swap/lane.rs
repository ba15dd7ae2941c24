// SPDX-License-Identifier: GPL-2.0

//! What hook, writer, the end of requests, and readers share of a swap device.
//!
//! Locks: the lane's own, with interrupts off, as requests end in them; under it those of the
//! lines in which those stand who wait for room.

use crate::{
    kernel_ext::{
        compat::{
            new_spinlock_irq,
            SpinLockIrq, //
        },
        line::{
            nap,
            Line, //
        },
        reclaim::{
            self,
            SwapRequest, //
        },
        swap::Prepared,
        system, //
    },
    policy::{
        handoff::{
            late_after,
            Batch,
            Door,
            Room,
            Who, //
        },
        idle,
        link::{
            Link,
            Sent, //
        },
        returning::{
            Returning,
            Row, //
        },
    },
    words::Refusal, //
};
use kernel::{
    alloc::KVVec,
    prelude::*,
    static_lock_class,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed,
        Release, //
    },
};

/// A request that waits for the writer.
pub(crate) struct QueuedRequest {
    /// It.
    pub(crate) prepared: Prepared,
    /// Its first swap slot, by which it is sorted.
    pub(crate) slot: u64,
    /// When it was taken, in monotonic nanoseconds.
    pub(crate) taken: u64,
    /// Its pages.
    pub(crate) pages: u32,
}

/// How often, and how long each time, a task that handed over sleeps for a device that is late,
/// in ms. Without us it would sleep in the device until that answers; if it goes on at once
/// it soon asks for the OOM killer, for a server that is back after some seconds. All tasks
/// together, from when it is late: each batch anew would be minutes, for a device that is dead.
const NAPS: u32 = 50;

/// See [`NAPS`].
const NAP_MS: u32 = 100;

/// Tasks that are known to have waited, of each device.
const ROWS: usize = 128;

/// Whether the writer sleeps.
pub(crate) struct Idle(Atomic<bool>);

impl idle::Flag for Idle {
    fn swap(&self, asleep: bool) -> bool {
        self.0.xchg(asleep, Full)
    }
}

/// What the lock guards.
struct LaneInner {
    door: Door,
    link: Link,
    /// Pages that may be under way, as far as the reserves go.
    reserve: u32,
    /// Pages that were submitted and are not done.
    in_flight: u32,
    /// When a request was done last, or one was handed over with none before it.
    progress: u64,
    /// Nobody is let in any more.
    going: bool,
    queue: KVVec<QueuedRequest>,
    returning: Returning<KVec<Row>>,
}

impl LaneInner {
    fn room(&self) -> Room {
        Room::new(self.link.limit(), self.reserve, self.link.drains())
    }

    fn limit(&self) -> u32 {
        self.room().device()
    }

    /// What counts of a batch: who freed as many pages as it handed over goes on before others
    /// only while little is under way, also of a device that is late, and the queue has places.
    fn judged(&self, batch: Batch, room: Room) -> Batch {
        let full = self.queue.len() > self.queue.capacity() / 2;
        match full || self.door.inside() >= room.paid() {
            true => Batch { freed: 0, ..batch },
            false => batch,
        }
    }

    /// See [`late_after`].
    fn late(&self, now: u64) -> bool {
        self.late_for(now).is_some()
    }

    /// For how long it has been late, in ns.
    fn late_for(&self, now: u64) -> Option<u64> {
        let after = late_after(self.in_flight, self.link.rate());
        let ns = now.saturating_sub(self.progress).checked_sub(after)?;
        (self.door.backlog() != 0 && ns != 0).then_some(ns)
    }

    /// Is it late, and may still be slept for? See [`NAPS`].
    fn worth_a_nap(&self, now: u64) -> bool {
        let most = u64::from(NAPS).saturating_mul(u64::from(NAP_MS).saturating_mul(1_000_000));
        !self.going && self.late_for(now).is_some_and(|ns| ns < most)
    }

    /// May the writer submit more?
    fn may_submit(&self) -> bool {
        self.in_flight == 0 || self.in_flight < self.limit()
    }

    fn is_full(&self) -> bool {
        self.queue.len() >= self.queue.capacity()
    }

    /// Why nobody may hand over, if so.
    fn closed(&self, now: u64) -> Option<Refusal> {
        if self.going {
            Some(Refusal::Going)
        } else if !self.is_full() {
            None
        } else if self.late(now) {
            Some(Refusal::Late)
        } else {
            Some(Refusal::Full)
        }
    }
}

/// One who handed over.
#[derive(Clone, Copy)]
pub(crate) struct Asker {
    /// Whether, and where, it waits.
    pub(crate) who: Who,
    /// The task, as an opaque key.
    pub(crate) task: usize,
    /// Faults that it has had; `None`: it does not reclaim for a page of its own.
    pub(crate) faults: Option<u32>,
}

/// How one who handed over had to wait.
#[derive(Clone, Copy)]
pub(crate) struct Waited {
    /// So many nanoseconds.
    pub(crate) ns: u64,
    /// Pages that were written meanwhile.
    pub(crate) written: u32,
}

/// State for readers.
pub(crate) struct Figures {
    /// Pages that were handed over and are not done.
    pub(crate) inside: u32,
    /// Of these, submitted.
    pub(crate) in_flight: u32,
    /// Pages that may be submitted, and handed over before others wait.
    pub(crate) limit: u32,
    /// The same, as far as the reserves go.
    pub(crate) reserve: u32,
    /// Pages a second that the device takes; 0: not known.
    pub(crate) rate: u64,
    /// The least that a request took of late, in ns; 0: not known.
    pub(crate) rtt: u64,
    /// Tasks that wait for room.
    pub(crate) waiting: u32,
    /// The device is late.
    pub(crate) late: bool,
}

/// State of a lane.
#[pin_data]
pub(crate) struct SwapLane {
    #[pin]
    inner: SpinLockIrq<LaneInner>,
    /// Where those stand who wait for room.
    #[pin]
    kswapd: Line,
    /// See `kswapd`.
    #[pin]
    again: Line,
    /// See `kswapd`.
    #[pin]
    tasks: Line,
    /// The device, 0: none.
    device: Atomic<u32>,
    /// The writer sleeps, and wants to know of what is queued.
    pub(crate) idle: Idle,
    /// Requests taken, and submitted.
    pub(crate) taken: Atomic<u64>,
    /// See `taken`.
    pub(crate) written: Atomic<u64>,
}

impl SwapLane {
    /// A lane whose queue has room for `requests`. Sleeps.
    pub(crate) fn new(requests: usize) -> Result<Pin<KBox<Self>>> {
        let inner = LaneInner {
            door: Door::new(),
            link: Link::new(),
            reserve: u32::MAX,
            in_flight: 0,
            progress: 0,
            going: false,
            queue: KVVec::with_capacity(requests, GFP_KERNEL)?,
            returning: Returning::new(KVec::from_elem(Row::default(), ROWS, GFP_KERNEL)?),
        };
        KBox::pin_init(
            pin_init!(Self {
                inner <- new_spinlock_irq!(inner, "reclaimwb_swap_lane"),
                kswapd <- Line::new(c"reclaimwb_swap_kswapd", static_lock_class!()),
                again <- Line::new(c"reclaimwb_swap_again", static_lock_class!()),
                tasks <- Line::new(c"reclaimwb_swap_tasks", static_lock_class!()),
                device: Atomic::new(0),
                idle: Idle(Atomic::new(false)),
                taken: Atomic::new(0),
                written: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }

    /// Takes a request, unless nobody may hand over. May the writer go on? Any context.
    pub(crate) fn enter(&self, request: &SwapRequest<'_>, cookie: usize) -> Result<bool, Refusal> {
        let (pages, now) = (request.pages(), system::mono_ns());
        let mut inner = self.inner.lock();
        if !self.serves(request.device()) {
            // It was given to another device meanwhile.
            return Err(Refusal::Devices);
        }
        if let Some(why) = inner.closed(now) {
            return Err(why);
        }
        if inner.door.backlog() == 0 {
            inner.progress = now;
        }
        inner.door.hand_over(pages);
        let queued = QueuedRequest {
            prepared: request.take(cookie),
            slot: request.slot(),
            taken: now,
            pages,
        };
        // Before the writer can count it as written.
        self.taken.fetch_add(1, Relaxed);
        // There is a place: we have looked.
        let _ = inner.queue.push_within_capacity(queued);
        Ok(inner.may_submit())
    }

    /// One who is through with a batch waits until there is room, unless the lane is going. While
    /// the device is late, a task sleeps until it has been so for [`NAPS`]. `waits` is called when
    /// it is about to sleep, maybe under the lane's lock: somebody has to [`Self::look`] meanwhile
    /// at those in line. Returns how long it slept, in ns, and how many pages were written
    /// meanwhile; `None`: it had not to. Sleeps.
    pub(crate) fn wait(&self, batch: Batch, asker: Asker, waits: impl Fn()) -> Option<Waited> {
        let mut inner = self.inner.lock();
        let (came, delivered) = (system::mono_ns(), inner.link.delivered());
        let room = inner.room();
        if inner.going {
            return None;
        }
        let batch = inner.judged(batch, room);
        let mut who = asker.who;
        if inner.late(came) {
            let naps = who == Who::Task && !batch.paid() && inner.worth_a_nap(came);
            drop(inner);
            return naps.then(|| {
                waits();
                (0..NAPS).any(|_| {
                    nap(NAP_MS);
                    reclaim::dying() || !self.worth_a_nap()
                });
                Waited {
                    ns: system::mono_ns().saturating_sub(came),
                    written: 0,
                }
            });
        }
        if !inner.door.has_to_wait(batch, room, who) {
            return None;
        }
        if let (Who::Task, Some(faults)) = (who, asker.faults) {
            if inner.returning.comes(asker.task, faults) {
                who = Who::Again;
            }
        }
        inner.door.join(batch.handed, who);
        let pages = batch.handed;
        waits();
        let mut now;
        loop {
            inner = self.line(who).sleep(inner, || self.inner.lock());
            now = system::mono_ns();
            // A turn may be meant for a task that a signal woke before: if it went away without,
            // nobody would take it, and the next ones would never be called.
            if inner.door.take_turn(pages, who) {
                break;
            }
            if reclaim::dying() || inner.going || inner.late(now) {
                inner.door.give_up(pages, who);
                break;
            }
        }
        self.call(&mut inner);
        let written = inner.link.delivered().saturating_sub(delivered);
        Some(Waited {
            ns: now.saturating_sub(came),
            written: u32::try_from(written).unwrap_or(u32::MAX),
        })
    }

    /// See [`LaneInner::worth_a_nap`].
    fn worth_a_nap(&self) -> bool {
        self.inner.lock().worth_a_nap(system::mono_ns())
    }

    fn line(&self, who: Who) -> &Line {
        match who {
            Who::Kswapd => &self.kswapd,
            Who::Again => &self.again,
            Who::Task | Who::Exempt => &self.tasks,
        }
    }

    /// Wakes those who waited longest, as many as may come in.
    fn call(&self, inner: &mut LaneInner) {
        let room = inner.room();
        let [kswapd, again, tasks] = inner.door.call(room);
        self.kswapd.wake(kswapd);
        self.again.wake(again);
        self.tasks.wake(tasks);
    }

    fn wake_all(&self) {
        self.kswapd.wake_all();
        self.again.wake_all();
        self.tasks.wake_all();
    }

    /// Sends those away who wait, if the device is late; are there any left? Any context.
    pub(crate) fn look(&self) -> bool {
        let inner = self.inner.lock();
        if inner.door.waiting() != 0 && inner.late(system::mono_ns()) {
            self.wake_all();
        }
        inner.door.waiting() != 0
    }

    /// Lets nobody in any more, and sends those away who wait. Any context.
    pub(crate) fn close(&self) {
        let mut inner = self.inner.lock();
        inner.going = true;
        self.wake_all();
    }

    /// Gives what is queued, the oldest first, for `empty`, which has as much room and holds
    /// nothing. Does not sleep.
    pub(crate) fn take(&self, empty: &mut KVVec<QueuedRequest>) {
        core::mem::swap(&mut self.inner.lock().queue, empty);
    }

    /// Is there something for the writer to do, that has nothing at hand, or (`holds`) has?
    pub(crate) fn waits(&self, holds: bool) -> bool {
        let inner = self.inner.lock();
        (holds || !inner.queue.is_empty()) && inner.may_submit()
    }

    /// May the writer submit more?
    pub(crate) fn may_submit(&self) -> bool {
        self.inner.lock().may_submit()
    }

    /// A request of so many pages is about to be submitted; with what is to be noted of it.
    /// For the writer.
    pub(crate) fn begin(&self, pages: u32) -> Sent {
        let mut inner = self.inner.lock();
        let limited = inner.door.backlog() < inner.limit();
        let in_flight = inner.in_flight;
        inner.in_flight = in_flight.saturating_add(pages);
        self.written.fetch_add(1, Relaxed);
        inner.link.sent(in_flight, limited, system::mono_ns())
    }

    /// A request of so many pages is done: after how many ns? And may the writer go on? Any
    /// context.
    pub(crate) fn done(&self, pages: u32, sent: Sent, failed: bool) -> (u64, bool) {
        let now = system::mono_ns();
        let mut inner = self.inner.lock();
        inner.in_flight = inner.in_flight.saturating_sub(pages);
        inner.door.done(pages);
        inner.progress = now;
        // What failed says nothing of how fast the device is.
        if !failed {
            let in_flight = inner.in_flight;
            inner.link.done(pages, sent, in_flight, now);
        }
        self.call(&mut inner);
        // Half of what it may have keeps the device busy: not for each that is done.
        let goes_on = inner.in_flight <= inner.limit() / 2;
        (now.saturating_sub(sent.at), goes_on)
    }

    /// The reserves carry so many pages.
    pub(crate) fn carries(&self, pages: u32) {
        let mut inner = self.inner.lock();
        inner.reserve = pages;
        self.call(&mut inner);
    }

    /// How it does. Any context.
    pub(crate) fn figures(&self) -> Figures {
        let inner = self.inner.lock();
        Figures {
            inside: inner.door.backlog(),
            in_flight: inner.in_flight,
            limit: inner.limit(),
            reserve: inner.reserve,
            rate: inner.link.rate(),
            rtt: inner.link.rtt(),
            waiting: inner.door.waiting(),
            late: inner.late(system::mono_ns()),
        }
    }

    /// The device; 0: none.
    pub(crate) fn device(&self) -> u32 {
        self.device.load(Acquire)
    }

    /// Is it that device's?
    pub(super) fn serves(&self, device: u32) -> bool {
        self.device() == device
    }

    /// From now on it is that device's, unless something of its own is under way or somebody
    /// waits. For one at a time.
    pub(super) fn serve(&self, device: u32) -> bool {
        let mut inner = self.inner.lock();
        if inner.door.backlog() != 0 || inner.door.waiting() != 0 {
            return false;
        }
        inner.door = Door::new();
        inner.link = Link::new();
        inner.reserve = u32::MAX;
        inner.progress = system::mono_ns();
        self.taken.store(0, Relaxed);
        self.written.store(0, Relaxed);
        self.device.store(device, Release);
        true
    }

    /// Memory that one takes, whose queue has room for `requests`, in bytes.
    pub(super) const fn bytes(requests: usize) -> usize {
        core::mem::size_of::<Self>()
            .saturating_add(requests.saturating_mul(core::mem::size_of::<QueuedRequest>()))
            .saturating_add(ROWS.saturating_mul(core::mem::size_of::<Row>()))
    }
}

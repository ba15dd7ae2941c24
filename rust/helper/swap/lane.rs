// SPDX-License-Identifier: GPL-2.0

//! The state of a swap device that the hook, the writer, the end of requests and readers share.
//!
//! Locks: the lane's own, with interrupts off, because requests end in interrupts. Under it those
//! of the lines in which tasks wait for room.

use crate::{
    kernel_ext::{
        compat::{
            new_spinlock_irq,
            SpinLockIrq, //
        },
        reclaim::{
            self,
            SwapRequest, //
        },
        swap::PreparedRequest,
        system,
        wait_queue::{
            sleep_killable,
            WaitQueue, //
        }, //
    },
    policy::{
        bypass::Bypass,
        handoff::{
            late_after,
            Batch,
            Door,
            Room,
            TaskClass, //
        },
        idle,
        link::{
            Link,
            RequestStamp, //
        },
        order::Place,
        returning::{
            Returning,
            ReturningTask, //
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
    /// The request, as reclaim prepared it.
    pub(crate) prepared: PreparedRequest,
    /// Its place on the device. The writer sorts requests by it.
    pub(crate) place: Place,
    /// When it was taken, in monotonic nanoseconds.
    pub(crate) taken: u64,
    /// Whether the device had room for it then.
    pub(crate) roomy: bool,
    /// Its number of pages.
    pub(crate) pages: u32,
}

/// The most naps of [`NAP_MS`] that a task that handed over takes for a device that is late.
/// Without the helper, the task would sleep in the device until the device answers. If it went on
/// at once, it would soon ask for the OOM killer, though the server may be back after some seconds.
/// The time of the naps runs for all tasks together, from when the device became late. If it began
/// anew with each batch, tasks would sleep for minutes for a device that is dead.
const NAPS: u32 = 50;

/// The length of a nap, in ms. See [`NAPS`].
const NAP_MS: u32 = 100;

/// The number of tasks that are known to have waited, for each device.
const ROWS: usize = 128;

/// Whether the writer sleeps.
pub(crate) struct IdleFlag(Atomic<bool>);

impl idle::Flag for IdleFlag {
    fn swap(&self, asleep: bool) -> bool {
        self.0.xchg(asleep, Full)
    }
}

/// The state that the lane's lock guards.
struct LaneInner {
    door: Door,
    link: Link,
    bypass: Bypass,
    /// The number of pages that the reserves allow to be under way.
    reserve: u32,
    /// The number of pages that were submitted and are not done.
    in_flight: u32,
    /// When the last request was done, or one was handed over with none before it, in monotonic
    /// nanoseconds.
    progress: u64,
    /// Whether the lane lets nobody in any more.
    going: bool,
    /// The number of requests that were taken, and that were submitted.
    taken: u64,
    written: u64,
    queue: KVVec<QueuedRequest>,
    returning: Returning<KVec<ReturningTask>>,
}

impl LaneInner {
    fn room(&self) -> Room {
        Room::new(self.link.limit(), self.reserve, self.link.is_draining())
    }

    fn limit(&self) -> u32 {
        self.room().device()
    }

    /// Returns the number of requests that were taken and not submitted: those in the queue, and
    /// those that the writer has at hand.
    fn pending(&self) -> u64 {
        self.taken.saturating_sub(self.written)
    }

    /// Returns the batch as it counts. A reclaimer that freed as many pages as it handed over goes
    /// on before others only while little is under way and the queue has room. This also holds for
    /// a device that is late.
    fn adjusted(&self, batch: Batch, room: Room) -> Batch {
        let full = self.pending() > self.queue.capacity() as u64 / 2;
        match full || self.door.inside() >= room.paid() {
            true => Batch { freed: 0, ..batch },
            false => batch,
        }
    }

    /// Whether the device is late. See [`late_after`].
    fn late(&self, now: u64) -> bool {
        self.late_for(now).is_some()
    }

    /// Returns for how long the device has been late, in ns; `None` if it is not late.
    fn late_for(&self, now: u64) -> Option<u64> {
        let after = late_after(self.in_flight, self.link.rate());
        let ns = now.saturating_sub(self.progress).checked_sub(after)?;
        (self.door.backlog() != 0 && ns != 0).then_some(ns)
    }

    /// Whether the device is late and a task may still sleep for it. See [`NAPS`].
    fn worth_a_nap(&self, now: u64) -> bool {
        let most = u64::from(NAPS).saturating_mul(u64::from(NAP_MS).saturating_mul(1_000_000));
        !self.going && self.late_for(now).is_some_and(|ns| ns < most)
    }

    /// Whether the writer may submit more. It submits all that it has if the lane is going.
    fn may_submit(&self) -> bool {
        self.going || self.in_flight == 0 || self.in_flight < self.limit()
    }

    fn is_full(&self) -> bool {
        self.pending() >= self.queue.capacity() as u64
    }

    /// Returns why nobody may hand over; `None` if all may.
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

/// A reclaimer that handed over a batch.
#[derive(Clone, Copy)]
pub(crate) struct Reclaimer {
    /// Whether, and in which line, it waits.
    pub(crate) class: TaskClass,
    /// The task, as an opaque key.
    pub(crate) task: usize,
    /// The number of faults that it has had; `None` if it does not reclaim for a page of its own.
    pub(crate) faults: Option<u32>,
}

/// How a reclaimer had to wait.
#[derive(Clone, Copy)]
pub(crate) struct RoomWait {
    /// How long it waited, in nanoseconds.
    pub(crate) ns: u64,
    /// The number of pages that were written meanwhile.
    pub(crate) written: u32,
}

/// The state of a lane for debugfs readers.
pub(crate) struct LaneStats {
    /// The number of requests that were taken.
    pub(crate) taken: u64,
    /// The number of requests that were submitted.
    pub(crate) written: u64,
    /// The number of pages that were handed over and are not done.
    pub(crate) inside: u32,
    /// The number of these that were submitted.
    pub(crate) in_flight: u32,
    /// The number of pages that may be submitted, and that may be handed over before others wait.
    pub(crate) limit: u32,
    /// The number of pages that the reserves allow to be under way.
    pub(crate) reserve: u32,
    /// The rate at which the device takes pages, in pages per second; 0 if not known.
    pub(crate) rate: u64,
    /// The shortest time that a request took of late, in ns; 0 if not known.
    pub(crate) rtt: u64,
    /// The number of tasks that wait for room.
    pub(crate) waiting: u32,
    /// Whether the device is late.
    pub(crate) late: bool,
}

/// The lane of a swap device.
#[pin_data]
pub(crate) struct SwapLane {
    #[pin]
    inner: SpinLockIrq<LaneInner>,
    /// The lines in which tasks wait for room.
    #[pin]
    kswapd: WaitQueue,
    /// See `kswapd`.
    #[pin]
    returning: WaitQueue,
    /// See `kswapd`.
    #[pin]
    tasks: WaitQueue,
    /// The device number; 0 if the lane has no device.
    device: Atomic<u32>,
    /// The cookie of the device's requests; 0 if the lane has no device. Changed under the lock.
    cookie: Atomic<usize>,
    /// Whether the writer sleeps, and must be woken when a request is queued.
    pub(crate) idle: IdleFlag,
}

impl SwapLane {
    /// Creates a lane whose queue has room for `requests`. Sleeps.
    pub(crate) fn new(requests: usize) -> Result<Pin<KBox<Self>>> {
        let inner = LaneInner {
            door: Door::new(),
            link: Link::new(),
            bypass: Bypass::new(),
            reserve: u32::MAX,
            in_flight: 0,
            progress: 0,
            going: false,
            taken: 0,
            written: 0,
            queue: KVVec::with_capacity(requests, GFP_KERNEL)?,
            returning: Returning::new(KVec::from_elem(ReturningTask::default(), ROWS, GFP_KERNEL)?),
        };
        KBox::pin_init(
            pin_init!(Self {
                inner <- new_spinlock_irq!(inner, "reclaimwb_swap_lane"),
                kswapd <- WaitQueue::new(c"reclaimwb_swap_kswapd", static_lock_class!()),
                returning <- WaitQueue::new(c"reclaimwb_swap_again", static_lock_class!()),
                tasks <- WaitQueue::new(c"reclaimwb_swap_tasks", static_lock_class!()),
                device: Atomic::new(0),
                cookie: Atomic::new(0),
                idle: IdleFlag(Atomic::new(false)),
            }),
            GFP_KERNEL,
        )
    }

    /// Takes a request, unless nobody may hand over, or the request had better go past the writer
    /// and `may_pass`. Returns its cookie, and whether the writer may go on. Any context.
    pub(crate) fn enter(
        &self,
        request: &SwapRequest<'_>,
        may_pass: bool,
    ) -> Result<(usize, bool), Refusal> {
        let (pages, now) = (request.pages(), system::mono_ns());
        let mut inner = self.inner.lock();
        if !self.serves(request.device()) {
            // The lane was given to another device meanwhile.
            return Err(Refusal::Devices);
        }
        if let Some(why) = inner.closed(now) {
            return Err(why);
        }
        if may_pass && inner.bypass.is_open(now) {
            return Err(Refusal::Fast);
        }
        if inner.door.backlog() == 0 {
            inner.progress = now;
        }
        inner.door.hand_over(pages);
        let (roomy, cookie) = (inner.may_submit(), self.cookie());
        let queued = QueuedRequest {
            prepared: request.take(cookie),
            place: request.place(),
            taken: now,
            roomy,
            pages,
        };
        // The queue has room: `closed()` has checked that.
        let _ = inner.queue.push_within_capacity(queued);
        inner.taken = inner.taken.saturating_add(1);
        Ok((cookie, roomy))
    }

    /// Waits until there is room, for a reclaimer that is through with a batch, of which requests
    /// have that cookie. Nobody waits if the lane is going, or has been given to another device,
    /// because all of these requests are done then. While the device is late, a task sleeps
    /// instead, until the device has been late for the time of all [`NAPS`]. `waits` is called
    /// before the reclaimer sleeps, maybe under the lane's lock: somebody must call
    /// [`Self::check_late`] for the lines meanwhile. Returns how long the reclaimer slept and how
    /// many pages were written meanwhile; `None` if it did not have to wait. Sleeps.
    pub(crate) fn wait(
        &self,
        cookie: usize,
        batch: Batch,
        reclaimer: Reclaimer,
        waits: impl Fn(),
    ) -> Option<RoomWait> {
        let mut inner = self.inner.lock();
        let (came, delivered) = (system::mono_ns(), inner.link.delivered());
        let room = inner.room();
        if inner.going || self.cookie() != cookie {
            return None;
        }
        let batch = inner.adjusted(batch, room);
        let mut class = reclaimer.class;
        if inner.late(came) {
            let naps = class == TaskClass::Ordinary && !batch.paid() && inner.worth_a_nap(came);
            drop(inner);
            return naps.then(|| {
                waits();
                (0..NAPS).any(|_| {
                    sleep_killable(NAP_MS);
                    reclaim::dying() || !self.worth_a_nap()
                });
                RoomWait {
                    ns: system::mono_ns().saturating_sub(came),
                    written: 0,
                }
            });
        }
        if !inner.door.has_to_wait(batch, room, class) {
            return None;
        }
        if let (TaskClass::Ordinary, Some(faults)) = (class, reclaimer.faults) {
            if inner.returning.note_waiter(reclaimer.task, faults) {
                class = TaskClass::Returning;
            }
        }
        inner.door.join(batch.handed, class);
        let pages = batch.handed;
        waits();
        let mut now;
        loop {
            inner = self.wait_queue(class).sleep(inner, || self.inner.lock());
            now = system::mono_ns();
            // A turn may be meant for a task that a signal woke before. If the task went away
            // without it, nobody would take the turn, and the next tasks would never be called.
            if inner.door.take_turn(pages, class) {
                break;
            }
            let wanted = class == TaskClass::Kswapd && reclaim::kswapd_is_awaited();
            if wanted || reclaim::dying() || inner.going || inner.late(now) {
                inner.door.give_up(pages, class);
                break;
            }
        }
        self.call(&mut inner);
        let written = inner.link.delivered().saturating_sub(delivered);
        Some(RoomWait {
            ns: now.saturating_sub(came),
            written: u32::try_from(written).unwrap_or(u32::MAX),
        })
    }

    /// See [`LaneInner::worth_a_nap`].
    fn worth_a_nap(&self) -> bool {
        self.inner.lock().worth_a_nap(system::mono_ns())
    }

    fn wait_queue(&self, class: TaskClass) -> &WaitQueue {
        match class {
            TaskClass::Kswapd => &self.kswapd,
            TaskClass::Returning => &self.returning,
            TaskClass::Ordinary | TaskClass::Exempt => &self.tasks,
        }
    }

    /// Wakes as many tasks as may come in, those first that waited longest.
    fn call(&self, inner: &mut LaneInner) {
        let room = inner.room();
        let [kswapd, returning, tasks] = inner.door.call(room);
        self.kswapd.wake(kswapd);
        self.returning.wake(returning);
        self.tasks.wake(tasks);
    }

    /// Wakes all tasks that wait, of which there are `waiting`. This is done without the lane's
    /// lock, because there may be thousands. A task that comes meanwhile looks for itself why
    /// nobody should wait. Process context.
    fn wake_all(&self, waiting: u32) {
        self.kswapd.wake_all(waiting);
        self.returning.wake_all(waiting);
        self.tasks.wake_all(waiting);
    }

    /// Sends the tasks that wait away if the device is late, and kswapd if tasks wait for it.
    /// Returns whether any task still waits. Process context.
    pub(crate) fn check_late(&self) -> bool {
        let (waiting, late) = {
            let inner = self.inner.lock();
            (inner.door.waiting(), inner.late(system::mono_ns()))
        };
        if late {
            self.wake_all(waiting);
        } else if reclaim::kswapd_is_awaited() {
            self.kswapd.wake_all(waiting);
        }
        waiting != 0
    }

    /// Lets nobody in any more, and sends away the tasks that wait. Process context.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut inner = self.inner.lock();
            inner.going = true;
            inner.door.waiting()
        };
        self.wake_all(waiting);
    }

    /// Swaps the queue, the oldest request first, with `empty`, which must have as much room and
    /// hold nothing. Does not sleep.
    pub(crate) fn swap_queue(&self, empty: &mut KVVec<QueuedRequest>) {
        core::mem::swap(&mut self.inner.lock().queue, empty);
    }

    /// Whether there is something to do for the writer. `holds` says whether it has requests at
    /// hand.
    pub(crate) fn has_work(&self, holds: bool) -> bool {
        let inner = self.inner.lock();
        (holds || !inner.queue.is_empty()) && inner.may_submit()
    }

    /// Whether the writer may submit more.
    pub(crate) fn may_submit(&self) -> bool {
        self.inner.lock().may_submit()
    }

    /// Accounts for a request that the writer is about to submit. Returns what is to be noted of
    /// it. Only the writer calls this.
    pub(crate) fn begin(&self, request: &QueuedRequest) -> RequestStamp {
        let (pages, now) = (request.pages, system::mono_ns());
        let mut inner = self.inner.lock();
        let queued = now.saturating_sub(request.taken);
        inner.bypass.record_submission(request.roomy, queued);
        inner.written = inner.written.saturating_add(1);
        let limited = inner.door.backlog() < inner.limit();
        let in_flight = inner.in_flight;
        inner.in_flight = in_flight.saturating_add(pages);
        inner.link.sent(in_flight, limited, now)
    }

    /// Accounts for the end of a request of `pages` pages. Returns how long it took, in ns, and
    /// whether the writer may go on. Any context.
    pub(crate) fn done(&self, pages: u32, sent: RequestStamp, failed: bool) -> (u64, bool) {
        let now = system::mono_ns();
        let mut inner = self.inner.lock();
        inner.in_flight = inner.in_flight.saturating_sub(pages);
        inner.door.done(pages);
        inner.progress = now;
        // A request that failed says nothing of how fast the device is.
        if !failed {
            let in_flight = inner.in_flight;
            inner.link.done(pages, sent, in_flight, now);
            inner.bypass.done(now.saturating_sub(sent.at), now);
        }
        self.call(&mut inner);
        // Half of its limit keeps the device busy, so the writer is not woken for each request that
        // is done, nor if nothing waits for it.
        let goes_on = inner.pending() != 0 && inner.in_flight <= inner.limit() / 2;
        (now.saturating_sub(sent.at), goes_on)
    }

    /// Sets the number of pages that the reserves allow to be under way. Any context.
    pub(crate) fn set_reserve(&self, pages: u32) {
        let mut inner = self.inner.lock();
        inner.reserve = pages;
        self.call(&mut inner);
    }

    /// Returns the state of the lane. Any context.
    pub(crate) fn stats(&self) -> LaneStats {
        let inner = self.inner.lock();
        LaneStats {
            taken: inner.taken,
            written: inner.written,
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

    /// Returns the device number; 0 if the lane has no device.
    pub(crate) fn device(&self) -> u32 {
        self.device.load(Acquire)
    }

    /// Returns the cookie of the device's requests; 0 if the lane has no device.
    pub(super) fn cookie(&self) -> usize {
        self.cookie.load(Relaxed)
    }

    /// Whether the lane is that device's.
    pub(super) fn serves(&self, device: u32) -> bool {
        self.device() == device
    }

    /// Gives the lane to that device, whose requests get that cookie, unless pages of its own are
    /// under way or somebody waits. Returns whether it did. Callers must not run at the same time.
    pub(super) fn serve(&self, device: u32, cookie: usize) -> bool {
        let mut inner = self.inner.lock();
        if inner.door.backlog() != 0 || inner.door.waiting() != 0 {
            return false;
        }
        inner.door = Door::new();
        inner.link = Link::new();
        inner.bypass = Bypass::new();
        inner.reserve = u32::MAX;
        inner.taken = 0;
        inner.written = 0;
        inner.progress = system::mono_ns();
        self.cookie.store(cookie, Relaxed);
        self.device.store(device, Release);
        true
    }

    /// Returns the memory that a lane takes whose queue has room for `requests`, in bytes.
    pub(super) const fn bytes(requests: usize) -> usize {
        core::mem::size_of::<Self>()
            .saturating_add(requests.saturating_mul(core::mem::size_of::<QueuedRequest>()))
            .saturating_add(ROWS.saturating_mul(core::mem::size_of::<ReturningTask>()))
    }
}

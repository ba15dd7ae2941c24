// SPDX-License-Identifier: GPL-2.0

//! Where the time of a stall goes.
//!
//! A task in a stall is always in one state: what it is doing, and whether it runs. Each event that
//! changes the state charges the time since the last event to what the task was doing. So the parts
//! sum to the wall time exactly, whatever events are missing.
//!
//! What a task is doing is a small stack: the allocation slow path, a reclaim window inside it, a
//! shrinker inside that, and a lock inside the shrinker. At the bottom is [`Cause::Unexplained`].

use super::nbd::RequestWaits;
use crate::words::Cause;

/// Whether most of what reclaim could free on a node is clean: more than half of its inactive pages
/// belong to files, and are neither dirty nor under writeback. Then a stall is not due to a lack of
/// I/O. `dirty` are pages on all lists, including the active ones, so the result errs towards
/// false.
pub const fn mostly_clean(inactive_file: u64, inactive_anon: u64, dirty: u64) -> bool {
    let clean = inactive_file.saturating_sub(dirty);
    clean
        > inactive_file
            .saturating_sub(clean)
            .saturating_add(inactive_anon)
}

/// Nanoseconds for each [`Cause`].
pub type CauseTimes = [u64; Cause::COUNT];

/// Returns the cause that took most of the time of a stall; of several equal ones the first.
pub fn main_cause(parts: &CauseTimes) -> Cause {
    let mut most = (Cause::Unexplained, 0);
    for (&cause, &ns) in Cause::ALL.iter().zip(parts) {
        if ns > most.1 {
            most = (cause, ns);
        }
    }
    most.0
}

/// Returns how long a task has stalled in all at the time `now`: `total` in stalls that ended, and
/// the time since `stall.0` if that stall goes on. `stall.1` is when it ended, and then it is in
/// `total`; 0 means that it goes on.
pub const fn total_stall_time(total: u64, stall: (u64, u64), now: u64) -> u64 {
    match stall.1 {
        0 => total.saturating_add(now.saturating_sub(stall.0)),
        _ => total,
    }
}

/// Returns the parts of a stall that may have been waits for requests of a network block device.
pub fn request_waits(parts: &CauseTimes) -> RequestWaits {
    let of = |cause: Cause| parts.get(cause as usize).copied().unwrap_or(0);
    let other = [
        Cause::ThrottleWriteback,
        Cause::ThrottleIsolated,
        Cause::ThrottleNoprogress,
        Cause::ThrottleCongested,
        Cause::Pfmemalloc,
        Cause::SwapSubmit,
        Cause::TagWait,
        Cause::RqQos,
        Cause::OffCpu,
    ];
    RequestWaits {
        lock: of(Cause::NbdLock),
        send: of(Cause::NbdSend),
        other: other.map(of).iter().fold(0, |a, ns| a.saturating_add(*ns)),
    }
}

/// Number of nested states that are told apart. A deeper one counts as the deepest of these.
const MAX_DEPTH: usize = 12;

/// Why a task does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OffCpu {
    Asleep,
    Runnable,
}

/// What a task is doing.
#[derive(Clone, Copy, Debug)]
struct Activity {
    cause: Cause,
    /// The address of the lock for which the task waits; 0 if it does something else.
    lock: usize,
}

impl Activity {
    const NONE: Self = Self {
        cause: Cause::Unexplained,
        lock: 0,
    };
}

/// A stall that goes on. Times are in nanoseconds of one clock. A clock that steps back counts as
/// one that stands still.
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    began: u64,
    since: u64,
    parts: CauseTimes,
    at: [Activity; MAX_DEPTH],
    depth: usize,
    /// Number of states that were entered beyond [`MAX_DEPTH`].
    deeper: usize,
    off: Option<OffCpu>,
    /// The cause of the next sleep, if an event has told it. A sleep for a lock has its own cause.
    next_sleep: Option<Cause>,
    /// The part of the last sleep without a known cause that was charged to [`Cause::OffCpu`]. A
    /// later event may tell the cause.
    slept: u64,
    /// Whether the task did anything but the slow path's own work.
    eventful: bool,
    /// What had been charged to the cause of a sample when that began.
    before: u64,
}

impl Stall {
    /// Begins a stall.
    pub const fn new(now: u64) -> Self {
        Self {
            began: now,
            since: now,
            parts: [0; Cause::COUNT],
            at: [Activity::NONE; MAX_DEPTH],
            depth: 0,
            deeper: 0,
            off: None,
            next_sleep: None,
            slept: 0,
            eventful: false,
            before: 0,
        }
    }

    fn charge(&mut self, cause: Cause, ns: u64) {
        if let Some(part) = self.parts.get_mut(cause as usize) {
            *part = part.wrapping_add(ns);
        }
    }

    /// Takes `ns`, or less if there is not so much, from the time of `cause`. Returns what was
    /// taken.
    fn take_back(&mut self, cause: Cause, ns: u64) -> u64 {
        self.parts.get_mut(cause as usize).map_or(0, |part| {
            let back = ns.min(*part);
            *part = part.wrapping_sub(back);
            back
        })
    }

    /// Returns the open states, the innermost one last.
    fn open(&self) -> &[Activity] {
        self.at.get(..self.depth).unwrap_or(&[])
    }

    /// Returns what the task is doing.
    pub fn at(&self) -> Cause {
        self.open().last().unwrap_or(&Activity::NONE).cause
    }

    /// Returns the cause of a sleep, if the task slept now.
    fn asleep(&self) -> Cause {
        let at = self.at();
        match self.next_sleep {
            Some(told) if !at.is_lock() => told,
            _ => at.asleep(),
        }
    }

    /// Charges the time up to `now` to what the task was doing.
    fn advance(&mut self, now: u64) {
        let ns = now.saturating_sub(self.since);
        let cause = match self.off {
            None => self.at(),
            Some(OffCpu::Runnable) => Cause::Runqueue,
            Some(OffCpu::Asleep) => self.asleep(),
        };
        self.charge(cause, ns);
        if self.off == Some(OffCpu::Asleep) && cause == Cause::OffCpu {
            self.slept = self.slept.wrapping_add(ns);
        }
        self.since = self.since.max(now);
    }

    /// Notes an event of the task itself, which shows that it runs.
    fn event(&mut self, now: u64) {
        self.advance(now);
        self.off = None;
    }

    /// Notes that time has passed, and nothing else.
    pub fn mark(&mut self, now: u64) {
        self.event(now);
        self.next_sleep = None;
    }

    fn push(&mut self, place: Activity) {
        if let Some(at) = self.at.get_mut(self.depth) {
            *at = place;
            self.depth = self.depth.wrapping_add(1);
        } else {
            self.deeper = self.deeper.saturating_add(1);
        }
    }

    /// Begins a state with this cause. That may be any but the locks, and `Unexplained`, `Runqueue`
    /// and `OffCpu`, which are what is left.
    pub fn enter(&mut self, cause: Cause, now: u64) {
        self.mark(now);
        self.eventful = true;
        self.push(Activity { cause, lock: 0 });
    }

    /// Like [`Self::enter`], for a state of which the end may not be told. If the task is in such a
    /// state already, that one has ended, and the next one began just then. Without a further event
    /// the state ends with [`Self::back_in_reclaim`], or with the state around it. One that is too
    /// deep to be told apart is left out, because nothing would count its end.
    pub fn enter_untold(&mut self, cause: Cause, now: u64) {
        if self.at() == cause || self.depth == MAX_DEPTH {
            self.mark(now);
        } else {
            self.enter(cause, now);
        }
    }

    /// Begins the wait for the lock at the address `lock`, which is not 0. For a mutex the kernel
    /// reports this twice, once when it spins and once when it sleeps. The wait for a sleeping lock
    /// contains waits for the locks of its wait queue and of the scheduler.
    pub fn begin_lock_wait(&mut self, cause: Cause, lock: usize, now: u64) {
        self.event(now);
        let again = self.deeper == 0 && self.open().last().is_some_and(|at| at.lock == lock);
        if !again {
            self.push(Activity { cause, lock });
        }
    }

    /// Ends the wait for a lock, which the task has now, or has given up. Does nothing if it did
    /// not wait for that lock.
    pub fn end_lock_wait(&mut self, lock: usize, now: u64) {
        self.event(now);
        match self.open().iter().rposition(|at| at.lock == lock) {
            // States inside it that were too deep to be noted have ended, too.
            Some(i) => {
                self.depth = i;
                self.deeper = 0;
            }
            None => self.deeper = self.deeper.saturating_sub(1),
        }
    }

    /// Ends the state with this cause, and all states that were entered since. Does nothing if
    /// there is no such state.
    pub fn leave(&mut self, cause: Cause, now: u64) {
        self.mark(now);
        if self.deeper > 0 {
            self.deeper = self.deeper.wrapping_sub(1);
            return;
        }
        if let Some(i) = self.open().iter().rposition(|at| at.cause == cause) {
            self.depth = i;
        }
    }

    /// It begins to be at `cause`, as many times before and after without telling.
    pub fn enter_sample(&mut self, cause: Cause, now: u64) {
        self.enter(cause, now);
        self.before = self.part(cause);
    }

    /// It is no more, and stands for so many `times`: the others took as long, as far as what it
    /// is at now was charged so much.
    pub fn leave_sample(&mut self, cause: Cause, times: u64, now: u64) {
        if self.at() != cause {
            return;
        }
        self.leave(cause, now);
        let one = self.part(cause).saturating_sub(self.before);
        let others = one.saturating_mul(times.saturating_sub(1));
        let others = self.take_back(self.at(), others);
        self.charge(cause, others);
    }

    fn part(&self, cause: Cause) -> u64 {
        self.parts.get(cause as usize).copied().unwrap_or(0)
    }

    /// Notes that the task is in reclaim or compaction itself. States that were entered inside and
    /// not left have ended: not every function reports its end if it fails.
    pub fn back_in_reclaim(&mut self, now: u64) {
        self.mark(now);
        let itself = |at: &Activity| matches!(at.cause, Cause::Scan | Cause::Compaction);
        if self.deeper == 0 {
            if let Some(i) = self.open().iter().rposition(itself) {
                self.depth = i.wrapping_add(1);
            }
        }
    }

    /// Notes that the task gives up its CPU. `runnable` means that it was preempted.
    pub fn off(&mut self, runnable: bool, now: u64) {
        self.advance(now);
        self.off = Some(if runnable {
            OffCpu::Runnable
        } else {
            OffCpu::Asleep
        });
        if !runnable && self.asleep() == Cause::OffCpu {
            self.slept = 0;
        }
    }

    /// Notes that the task has a CPU again.
    pub fn on(&mut self, now: u64) {
        self.event(now);
    }

    /// Notes that the task will sleep for `cause` until its next event, except for events of locks.
    pub fn will_sleep(&mut self, cause: Cause, now: u64) {
        self.event(now);
        self.eventful = true;
        self.next_sleep = Some(cause);
    }

    /// Notes that the last sleep, if its cause was not known, was for `cause`: reclaim's own
    /// throttle.
    pub fn has_slept(&mut self, cause: Cause, now: u64) {
        self.advance(now);
        let slept = self.take_back(Cause::OffCpu, self.slept);
        self.charge(cause, slept);
        self.slept = 0;
        self.eventful = true;
        self.back_in_reclaim(now);
    }

    /// Ends the stall, and returns its length and its parts in nanoseconds. The parts sum to the
    /// length.
    pub fn end(mut self, now: u64) -> (u64, CauseTimes) {
        self.advance(now);
        (self.since.wrapping_sub(self.began), self.parts)
    }

    /// Returns when the stall began.
    pub const fn began(&self) -> u64 {
        self.began
    }

    /// Whether the task reclaimed, compacted, or waited for more than a lock. The slow path alone
    /// is no stall.
    pub const fn eventful(&self) -> bool {
        self.eventful
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Where a stall's time goes.
//!
//! A task in a stall is always in one state: what it is at, and whether it runs. Each
//! event that changes the state charges the time since the last one to what it was at,
//! so that the parts sum to the wall time exactly, whatever events are missing.
//!
//! What a task is at is a small stack: the allocation slow path, in it a reclaim window,
//! in it a shrinker, in it a lock. At the bottom lies [`Cause::Unexplained`].

use super::nbd::RequestWaits;
use crate::words::Cause;

/// Is what reclaim could free on a node mostly clean: of its inactive pages are more than
/// half of files, and neither dirty nor under writeback? Then a stall is not for want of
/// I/O. `dirty` are pages on all lists, active ones among them, so that it errs towards no.
pub const fn mostly_clean(inactive_file: u64, inactive_anon: u64, dirty: u64) -> bool {
    let clean = inactive_file.saturating_sub(dirty);
    clean
        > inactive_file
            .saturating_sub(clean)
            .saturating_add(inactive_anon)
}

/// Nanoseconds by [`Cause`].
pub type CauseTimes = [u64; Cause::COUNT];

/// What of a stall may have been for requests of a network block device.
pub fn waits(parts: &CauseTimes) -> RequestWaits {
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

/// States that are told apart; what is nested deeper counts as the deepest of these.
const MAX_DEPTH: usize = 12;

/// Why a task does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Off {
    Asleep,
    Runnable,
}

/// What a task is at, and of a lock which one.
#[derive(Clone, Copy, Debug)]
struct Activity {
    cause: Cause,
    /// The lock that it waits for; 0: it is at something else.
    lock: usize,
}

impl Activity {
    const NONE: Self = Self {
        cause: Cause::Unexplained,
        lock: 0,
    };
}

/// A stall that goes on. Times are of one clock, in ns; one that went back counts as one
/// that stood still.
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    began: u64,
    since: u64,
    parts: CauseTimes,
    at: [Activity; MAX_DEPTH],
    depth: usize,
    /// Entered beyond [`MAX_DEPTH`].
    deeper: usize,
    off: Option<Off>,
    /// What the next sleep is for, but one for a lock, if an event said so before it.
    next_sleep: Option<Cause>,
    /// Of the last sleep that was for nothing that is known, what was charged to
    /// [`Cause::OffCpu`]: an event that comes after it may know better.
    slept: u64,
    /// It was at something else than the slow path's own business.
    eventful: bool,
}

impl Stall {
    /// Begins.
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
        }
    }

    fn charge(&mut self, cause: Cause, ns: u64) {
        if let Some(part) = self.parts.get_mut(cause as usize) {
            *part = part.wrapping_add(ns);
        }
    }

    /// Takes `ns`, or what there is, off what `cause` was charged.
    fn take_back(&mut self, cause: Cause, ns: u64) -> u64 {
        self.parts.get_mut(cause as usize).map_or(0, |part| {
            let back = ns.min(*part);
            *part = part.wrapping_sub(back);
            back
        })
    }

    /// What is open, innermost last.
    fn open(&self) -> &[Activity] {
        self.at.get(..self.depth).unwrap_or(&[])
    }

    /// What it is at.
    pub fn at(&self) -> Cause {
        self.open().last().unwrap_or(&Activity::NONE).cause
    }

    /// What a sleep is for, if it sleeps now.
    fn asleep(&self) -> Cause {
        let at = self.at();
        match self.next_sleep {
            Some(told) if !at.is_lock() => told,
            _ => at.asleep(),
        }
    }

    /// The time up to `now` goes to what it was at.
    fn advance(&mut self, now: u64) {
        let ns = now.saturating_sub(self.since);
        let cause = match self.off {
            None => self.at(),
            Some(Off::Runnable) => Cause::Runqueue,
            Some(Off::Asleep) => self.asleep(),
        };
        self.charge(cause, ns);
        if self.off == Some(Off::Asleep) && cause == Cause::OffCpu {
            self.slept = self.slept.wrapping_add(ns);
        }
        self.since = self.since.max(now);
    }

    /// An event of the task itself: it runs.
    fn event(&mut self, now: u64) {
        self.advance(now);
        self.off = None;
    }

    /// Something happened that changes nothing but that time passed.
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

    /// It begins to be at `cause`: any but locks, and unexplained, runqueue and off_cpu,
    /// which are what is left.
    pub fn enter(&mut self, cause: Cause, now: u64) {
        self.mark(now);
        self.eventful = true;
        self.push(Activity { cause, lock: 0 });
    }

    /// It begins to wait for the lock at the address `lock`, not 0. For a mutex the kernel
    /// says so twice, once to spin and once to sleep. Within the wait for a lock that one
    /// sleeps for lie those for the locks of its queue, and of the scheduler's.
    pub fn contends(&mut self, cause: Cause, lock: usize, now: u64) {
        self.event(now);
        let again = self.deeper == 0 && self.open().last().is_some_and(|at| at.lock == lock);
        if !again {
            self.push(Activity { cause, lock });
        }
    }

    /// It has the lock, or gave up. Nothing, if it did not wait for that one.
    pub fn locked(&mut self, lock: usize, now: u64) {
        self.event(now);
        match self.open().iter().rposition(|at| at.lock == lock) {
            // What lies within it beyond the depth is over, too.
            Some(i) => {
                self.depth = i;
                self.deeper = 0;
            }
            None => self.deeper = self.deeper.saturating_sub(1),
        }
    }

    /// It is no more at `cause`, nor at what it entered since. Nothing, if it was not.
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

    /// It is in reclaim or compaction itself now, whatever it entered since and did not
    /// leave: not every function that fails says so.
    pub fn reclaims(&mut self, now: u64) {
        self.mark(now);
        let itself = |at: &Activity| matches!(at.cause, Cause::Scan | Cause::Compaction);
        if self.deeper == 0 {
            if let Some(i) = self.open().iter().rposition(itself) {
                self.depth = i.wrapping_add(1);
            }
        }
    }

    /// It gives up its CPU; `runnable`: it would rather go on.
    pub fn off(&mut self, runnable: bool, now: u64) {
        self.advance(now);
        self.off = Some(if runnable { Off::Runnable } else { Off::Asleep });
        if !runnable && self.asleep() == Cause::OffCpu {
            self.slept = 0;
        }
    }

    /// It has a CPU again.
    pub fn on(&mut self, now: u64) {
        self.event(now);
    }

    /// Until the next event but one of a lock, it sleeps for `cause`.
    pub fn will_sleep(&mut self, cause: Cause, now: u64) {
        self.event(now);
        self.eventful = true;
        self.next_sleep = Some(cause);
    }

    /// Its last sleep, if that was for nothing that is known, was for `cause`: reclaim put
    /// it to sleep.
    pub fn has_slept(&mut self, cause: Cause, now: u64) {
        self.advance(now);
        let slept = self.take_back(Cause::OffCpu, self.slept);
        self.charge(cause, slept);
        self.slept = 0;
        self.eventful = true;
        self.reclaims(now);
    }

    /// It ends: how long it took, and on what. The parts sum to the length.
    pub fn end(mut self, now: u64) -> (u64, CauseTimes) {
        self.advance(now);
        (self.since.wrapping_sub(self.began), self.parts)
    }

    /// When it began.
    pub const fn began(&self) -> u64 {
        self.began
    }

    /// It reclaimed, compacted, or waited for more than a lock; the slow path alone is no
    /// stall.
    pub const fn eventful(&self) -> bool {
        self.eventful
    }
}

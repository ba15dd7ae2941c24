// SPDX-License-Identifier: GPL-2.0

//! May the worker write at real-time priority?
//!
//! It asks for that priority for the sake of its allocations, which may then use a part of the
//! reserve. What it pays with is CPU time that nobody else can have: a filesystem that
//! compresses or encrypts as it writes would keep a CPU from its other tasks. So it does this
//! only while memory is short, and the CPU time that it uses is a leaky bucket: it fills by the
//! time used, empties at three quarters of the clock, and while it is full the worker writes as
//! the flusher does. (The kernel's own limit would leave a twentieth to the others.)

/// The bucket empties by three parts in four of the time that passes.
const fn forgiven(passed_ns: u64) -> u64 {
    passed_ns.saturating_sub(passed_ns / 4)
}

/// What it holds, in nanoseconds of CPU time.
pub const ROOM_NS: u64 = 100_000_000;

/// Is memory short, with `free` pages, where the min watermarks add up to `min`? That is below
/// the low watermarks, about: an allocation may soon have to wait.
pub const fn short(free: u64, min: u64) -> bool {
    free < min.saturating_add(min / 4)
}

/// CPU time spent at real-time priority, and not yet forgiven.
#[derive(Debug, Default)]
pub struct Urgent {
    level_ns: u64,
    at_ns: u64,
}

impl Urgent {
    /// Nothing spent.
    pub const fn new() -> Self {
        Self {
            level_ns: 0,
            at_ns: 0,
        }
    }

    /// May the next window be written at real-time priority? `now_ns`: of a clock that does
    /// not go back; if it does, no time has passed.
    pub fn may(&mut self, now_ns: u64) -> bool {
        let passed = now_ns.saturating_sub(self.at_ns);
        self.at_ns = self.at_ns.max(now_ns);
        self.level_ns = self.level_ns.saturating_sub(forgiven(passed));
        self.level_ns < ROOM_NS
    }

    /// `ns` of CPU time were used there.
    pub fn spent(&mut self, ns: u64) {
        self.level_ns = self.level_ns.saturating_add(ns);
    }
}

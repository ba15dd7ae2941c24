// SPDX-License-Identifier: GPL-2.0

//! May the worker write at real-time priority?
//!
//! It asks for that priority for the sake of its allocations, which may then use a part of the
//! reserve. What it pays with is CPU time that nobody else can have: a filesystem that
//! compresses or encrypts as it writes would keep a CPU from its other tasks. So the time that
//! it spends there is a leaky bucket: it fills by the CPU time used, empties at a tenth of the
//! clock, and while it is full the worker writes as the flusher does.

/// The bucket empties by one part in this many of the time that passes.
pub const SHARE: u64 = 10;

/// What it holds, in nanoseconds of CPU time: some dozen windows of a filesystem that does not
/// look at the data, or a few of one that does.
pub const ROOM_NS: u64 = 20_000_000;

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
        self.level_ns = self.level_ns.saturating_sub(passed / SHARE);
        self.level_ns < ROOM_NS
    }

    /// `ns` of CPU time were used there.
    pub fn spent(&mut self, ns: u64) {
        self.level_ns = self.level_ns.saturating_add(ns);
    }
}

// SPDX-License-Identifier: GPL-2.0

//! When the worker may write at real-time priority.
//!
//! It wants that priority for the sake of its allocations, which may then use a part of the
//! reserve. The price is CPU time that nobody else can have: a filesystem that compresses or
//! encrypts as it writes would keep a CPU from its other tasks. So the worker does this only while
//! memory is short, and its CPU time goes into a leaky bucket. The bucket fills by the time used,
//! and drains at three quarters of the clock. While it is full, the worker writes at normal
//! priority, like the flusher. (The kernel's own limit would leave only a twentieth of the time to
//! others.)

/// Returns how much the bucket drains: three quarters of the time that has passed.
const fn forgiven(passed_ns: u64) -> u64 {
    passed_ns.saturating_sub(passed_ns / 4)
}

/// Size of the bucket, in nanoseconds of CPU time.
pub const ROOM_NS: u64 = 100_000_000;

/// Whether memory is short, with `free` pages where the sum of the min watermarks is `min`. That is
/// about below the low watermarks: an allocation may soon have to wait.
pub const fn short(free: u64, min: u64) -> bool {
    free < min.saturating_add(min / 4)
}

/// The bucket of CPU time that was spent at real-time priority.
#[derive(Debug, Default)]
pub struct Urgent {
    level_ns: u64,
    at_ns: u64,
}

impl Urgent {
    /// Creates an empty bucket.
    pub const fn new() -> Self {
        Self {
            level_ns: 0,
            at_ns: 0,
        }
    }

    /// Whether the next window may be written at real-time priority. `now_ns` is of a monotonic
    /// clock. If it steps back, no time has passed.
    pub fn allows_realtime(&mut self, now_ns: u64) -> bool {
        let passed = now_ns.saturating_sub(self.at_ns);
        self.at_ns = self.at_ns.max(now_ns);
        self.level_ns = self.level_ns.saturating_sub(forgiven(passed));
        self.level_ns < ROOM_NS
    }

    /// Adds `ns` of CPU time that were spent at real-time priority.
    pub fn charge(&mut self, ns: u64) {
        self.level_ns = self.level_ns.saturating_add(ns);
    }
}

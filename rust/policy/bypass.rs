// SPDX-License-Identifier: GPL-2.0

//! Decides when swap-out goes past the writer of its device, because the device is faster.
//!
//! A writer pays while the device is what requests wait for. A device that is nearly as fast as
//! memory, and has a queue for each CPU, takes requests from all CPUs faster than one thread can
//! submit them. Then the requests wait for the thread, which slows all of reclaim down. On
//! null_blk with 4 CPUs, tasks that swapped through the writer got 0.6 of the pages that they got
//! without it.
//!
//! So the link compares, for requests that the device had room for when they were made, the time
//! that they waited for the writer with the time that the device then took. If the writer takes
//! longer, requests go past it for a while. Then some are handed over again, to see whether this
//! is still so.

/// The number of requests that are done before the two times are compared.
pub const SAMPLE: u32 = 64;

/// The part of these requests that the device must have had room for, in sixteenths. If it had
/// none for the others, it is the device that is slow.
pub const ROOMY: u32 = 12;

/// A device whose requests take longer than this on average, in ns, is never passed by. The tasks
/// that submit to such a device themselves would soon sleep in it.
pub const FAST_NS: u64 = 1_000_000;

/// How long requests go past the writer, in ns. A device that becomes slow is noticed no later.
pub const PAST_NS: u64 = 1_000_000_000;

/// What was seen of a writer and its device.
#[derive(Clone, Copy, Debug)]
pub struct Bypass {
    /// The number of requests that were submitted and that the device had room for when they were
    /// made, and the time that they waited for the writer, in ns.
    roomy: u32,
    queued_ns: u64,
    /// The number of requests that are done, and the time that the device took for them, in ns.
    done: u32,
    device_ns: u64,
    /// Until when requests go past the writer, in ns; 0 if they never did.
    until: u64,
}

impl Bypass {
    /// Creates the state of a device of which nothing is known.
    pub const fn new() -> Self {
        Self {
            roomy: 0,
            queued_ns: 0,
            done: 0,
            device_ns: 0,
            until: 0,
        }
    }

    /// Whether a request that is made at `now` goes past the writer.
    pub const fn is_open(&self, now: u64) -> bool {
        now < self.until
    }

    /// Notes that the writer submits a request, which waited for it for `ns`. `roomy` says whether
    /// the device had room for the request when it was made.
    pub fn record_submission(&mut self, roomy: bool, ns: u64) {
        if roomy {
            self.roomy = self.roomy.saturating_add(1);
            self.queued_ns = self.queued_ns.saturating_add(ns);
        }
    }

    /// Notes that a request is done, for which the device took `ns`.
    pub fn done(&mut self, ns: u64, now: u64) {
        self.done = self.done.saturating_add(1);
        self.device_ns = self.device_ns.saturating_add(ns);
        if self.done < SAMPLE {
            return;
        }
        let until = match self.writer_is_slower() {
            true => now.saturating_add(PAST_NS),
            false => self.until,
        };
        *self = Self {
            until,
            ..Self::new()
        };
    }

    fn writer_is_slower(&self) -> bool {
        let mean = |ns: u64, n: u32| ns.checked_div(n.into()).unwrap_or(0);
        let device = mean(self.device_ns, self.done);
        let roomy = self.roomy.saturating_mul(16) >= self.done.saturating_mul(ROOMY);
        roomy && device < FAST_NS && mean(self.queued_ns, self.roomy) > device
    }
}

impl Default for Bypass {
    fn default() -> Self {
        Self::new()
    }
}

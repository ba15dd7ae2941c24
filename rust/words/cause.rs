// SPDX-License-Identifier: GPL-2.0

//! What the time of a stall is spent on.

named! {
    /// What a part of a stall is spent on.
    Cause {
        /// The slow path, apart from all other causes: no event tells what the task does.
        Unexplained => "unexplained",
        /// Reclaim that runs: it isolates folios, unmaps and frees them.
        Scan => "scan" ("scanning"),
        /// The task waits for the lock of an LRU list.
        LruLock => "lru_lock" ("lock of an LRU list"),
        /// The task waits for any other lock.
        Lock => "lock" ("other locks"),
        /// The task is inside a shrinker.
        Shrinker => "shrinker" ("shrinkers"),
        /// Reclaim put the task to sleep until writeback ends (or until the swap writer has
        /// written).
        ThrottleWriteback => "throttle_writeback" ("waiting for writeback"),
        /// Reclaim put the task to sleep because too many folios are isolated.
        ThrottleIsolated => "throttle_isolated" ("too many isolated"),
        /// Reclaim put the task to sleep because nothing could be freed.
        ThrottleNoprogress => "throttle_noprogress" ("no progress"),
        /// Reclaim put the task to sleep because the node is congested.
        ThrottleCongested => "throttle_congested" ("congestion"),
        /// The task waits in try_to_free_pages() before it may reclaim, because the reserves are
        /// low.
        Pfmemalloc => "pfmemalloc" ("waiting for reserves"),
        /// The task submits swap-out.
        SwapSubmit => "swap_submit" ("submitting swap-out"),
        /// The task waits for a tag of a block device.
        TagWait => "tag_wait" ("waiting for a block tag"),
        /// The task waits until the block layer lets it submit: write-back throttling, iolatency,
        /// iocost.
        RqQos => "rq_qos" ("throttled by the block layer"),
        /// The task waits for the lock of an NBD connection.
        NbdLock => "nbd_lock" ("lock of the NBD connection"),
        /// The task sends to an NBD server.
        NbdSend => "nbd_send" ("sending to the NBD server"),
        /// The task flushes the TLBs of other CPUs.
        Tlb => "tlb" ("TLB flushes"),
        /// The task compacts memory.
        Compaction => "compaction",
        /// The task drains pages from the lists of other CPUs.
        Drain => "drain" ("draining CPUs' lists"),
        /// The task sleeps as a penalty, because its cgroup is above memory.high.
        HighPenalty => "high_penalty" ("penalty of memory.high"),
        /// The task was preempted, and is ready to run. After a sleep, the wait for a CPU counts as
        /// part of the sleep.
        Runqueue => "runqueue" ("waiting for a CPU"),
        /// The task sleeps for something else.
        OffCpu => "off_cpu" ("asleep for something else"),
    }
}

impl Cause {
    /// Returns the cause for a reason of reclaim_throttle() (`enum vmscan_throttle_state`).
    pub const fn throttle(reason: u32) -> Self {
        match reason {
            0 => Self::ThrottleWriteback,
            1 => Self::ThrottleIsolated,
            2 => Self::ThrottleNoprogress,
            _ => Self::ThrottleCongested,
        }
    }

    /// Whether this is the wait for a lock.
    pub const fn is_lock(self) -> bool {
        matches!(self, Self::LruLock | Self::Lock | Self::NbdLock)
    }

    /// Returns the cause to which a sleep is charged while the task is in `self`.
    pub const fn asleep(self) -> Self {
        match self {
            Self::Unexplained | Self::Scan => Self::OffCpu,
            at => at,
        }
    }
}

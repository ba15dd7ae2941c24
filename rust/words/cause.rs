// SPDX-License-Identifier: GPL-2.0

//! What the time of a stall goes to.

named! {
    /// What a part of a stall was spent on.
    Cause {
        /// In the slow path, and none of the others: what nothing tells us about.
        Unexplained => "unexplained",
        /// Reclaim, running: isolates folios, unmaps and frees them.
        Scan => "scan" ("scanning"),
        /// Waits for the lock of an LRU list.
        LruLock => "lru_lock" ("lock of an LRU list"),
        /// Waits for any other lock.
        Lock => "lock" ("other locks"),
        /// In a shrinker.
        Shrinker => "shrinker" ("shrinkers"),
        /// Put to sleep by reclaim until writeback ends (or for the swap writer).
        ThrottleWriteback => "throttle_writeback" ("waiting for writeback"),
        /// Put to sleep: too many folios are isolated.
        ThrottleIsolated => "throttle_isolated" ("too many isolated"),
        /// Put to sleep: nothing could be freed.
        ThrottleNoprogress => "throttle_noprogress" ("no progress"),
        /// Put to sleep: the node is congested.
        ThrottleCongested => "throttle_congested" ("congestion"),
        /// Waits in try_to_free_pages() before it may reclaim: the reserves are low.
        Pfmemalloc => "pfmemalloc" ("waiting for reserves"),
        /// Submits swap-out.
        SwapSubmit => "swap_submit" ("submitting swap-out"),
        /// Waits for a tag of a block device.
        TagWait => "tag_wait" ("waiting for a block tag"),
        /// Waits until the block layer lets it submit: write-back throttling, iolatency, iocost.
        RqQos => "rq_qos" ("throttled by the block layer"),
        /// Waits for the lock of an NBD connection.
        NbdLock => "nbd_lock" ("lock of the NBD connection"),
        /// Sends to an NBD server.
        NbdSend => "nbd_send" ("sending to the NBD server"),
        /// Flushes other CPUs' TLBs.
        Tlb => "tlb" ("TLB flushes"),
        /// Compacts memory.
        Compaction => "compaction",
        /// Drains pages from other CPUs' lists.
        Drain => "drain" ("draining CPUs' lists"),
        /// Above memory.high: the penalty's sleep.
        HighPenalty => "high_penalty" ("penalty of memory.high"),
        /// Preempted: ready to run, without a CPU. After a sleep the wait for one counts as the
        /// sleep.
        Runqueue => "runqueue" ("waiting for a CPU"),
        /// Asleep for something else.
        OffCpu => "off_cpu" ("asleep for something else"),
    }
}

impl Cause {
    /// The reason of reclaim_throttle() (`enum vmscan_throttle_state`).
    pub const fn throttle(reason: u32) -> Self {
        match reason {
            0 => Self::ThrottleWriteback,
            1 => Self::ThrottleIsolated,
            2 => Self::ThrottleNoprogress,
            _ => Self::ThrottleCongested,
        }
    }

    /// It is the wait for a lock.
    pub const fn is_lock(self) -> bool {
        matches!(self, Self::LruLock | Self::Lock | Self::NbdLock)
    }

    /// What a sleep is charged to, of a task that is at `self`.
    pub const fn asleep(self) -> Self {
        match self {
            Self::Unexplained | Self::Scan => Self::OffCpu,
            at => at,
        }
    }
}

// SPDX-License-Identifier: GPL-2.0

//! What tasks wait for that memory is to blame for, and because of whose limit.

named! {
    /// What a task waits for.
    WaitKind {
        /// A page that was swapped out is read.
        Swapin => "swapin" ("swap-in"),
        /// A page of a file that was reclaimed a short time ago is read again.
        Refault => "refault" ("file pages read again"),
        /// The task dirties pages faster than its device writes them.
        Dirty => "dirty" ("its dirty pages"),
        /// An allocation reclaims or compacts; where its time goes is the stall ledger's.
        Stall => "stall" ("allocation stalls"),
        /// The cgroup is above memory.high: its reclaim, and the penalty.
        High => "high" ("memory.high"),
        /// The block layer makes the cgroup pay for I/O that its reclaim caused.
        IoThrottle => "io_throttle" ("I/O throttling"),
        /// A thread of the kernel, such as kswapd or kcompactd: nobody waits for it here.
        Kernel => "kernel" ("(threads of the kernel)"),
        /// PSI counts it, and it is none of these.
        Unexplained => "unexplained",
    }
}

named! {
    /// Whose limit a page was reclaimed for.
    Limit {
        /// No cgroup is at its limit: all of memory was short.
        Global => "global" ("no limit"),
        /// memory.high of a cgroup.
        High => "high" ("memory.high"),
        /// memory.max of a cgroup.
        Max => "max" ("memory.max"),
    }
}

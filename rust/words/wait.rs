// SPDX-License-Identifier: GPL-2.0

//! The waits of tasks for which memory is to blame, and whose limit is the reason.

named! {
    /// What a task waits for.
    WaitKind {
        /// A page that was swapped out is read.
        Swapin => "swapin" ("swap-in"),
        /// A page of a file that was reclaimed a short time ago is read again.
        Refault => "refault" ("file pages read again"),
        /// The task dirties pages faster than its device writes them.
        Dirty => "dirty" ("its dirty pages"),
        /// An allocation reclaims or compacts. The ledger of stalls tells what its time is spent
        /// on.
        Stall => "stall" ("allocation stalls"),
        /// The cgroup is above memory.high: its reclaim, and the penalty.
        High => "high" ("memory.high"),
        /// The block layer throttles the cgroup for I/O that its reclaim caused.
        IoThrottle => "io_throttle" ("I/O throttling"),
        /// A kernel thread reclaims, such as kswapd or kcompactd. No task waits for this here.
        Kernel => "kernel" ("(threads of the kernel)"),
        /// PSI counts the time, and it is none of these.
        Unexplained => "unexplained",
    }
}

named! {
    /// The limit because of which a page was reclaimed.
    Limit {
        /// No limit: all of memory was short.
        Global => "global" ("no limit"),
        /// memory.high of a cgroup.
        High => "high" ("memory.high"),
        /// memory.max of a cgroup.
        Max => "max" ("memory.max"),
    }
}

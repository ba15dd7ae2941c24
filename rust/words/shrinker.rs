// SPDX-License-Identifier: GPL-2.0

//! The counts of a shrinker.

named! {
    /// A count of a shrinker.
    ShrinkerCount {
        /// Calls.
        Calls => "calls",
        /// Calls for which it had no object.
        Empty => "empty",
        /// Calls for which it had too few objects to scan any.
        Idle => "idle",
        /// Calls in which it refused to go on (SHRINK_STOP).
        Refused => "refused",
        /// Calls while other tasks were inside it, for the same node and cgroup.
        Overlapped => "overlapped",
        /// Objects that were scanned.
        Scanned => "scanned",
        /// Objects that were freed.
        Freed => "freed",
        /// Slab pages with which the reclaim of the task was credited meanwhile.
        FreedPages => "freed.pages",
        /// Nanoseconds spent counting objects.
        CountNs => "count.ns",
        /// Nanoseconds spent scanning objects.
        ScanNs => "scan.ns",
        /// Objects that were left to later calls.
        Deferred => "deferred",
        /// Those of them that were left by calls that were refused and must not enter a filesystem.
        DeferredNofs => "deferred_nofs",
        /// Scanned objects that earlier calls had left.
        Paid => "paid",
        /// Calls that must not enter a filesystem.
        NofsCalls => "nofs_calls",
    }
}

// SPDX-License-Identifier: GPL-2.0

//! What is counted of a shrinker.

named! {
    /// What calls of a shrinker came to.
    ShrinkerCount {
        /// How many there were.
        Calls => "calls",
        /// Those for which it had no object.
        Empty => "empty",
        /// Those for which it had too few to scan any.
        Idle => "idle",
        /// Those in which it stopped (SHRINK_STOP).
        Refused => "refused",
        /// Those while others were in it, for the same node and cgroup.
        Overlapped => "overlapped",
        /// Objects that were scanned.
        Scanned => "scanned",
        /// Objects that were freed.
        Freed => "freed",
        /// Pages of slabs that the task's reclaim was credited with meanwhile.
        FreedPages => "freed.pages",
        /// Nanoseconds that it took to count objects.
        CountNs => "count.ns",
        /// Nanoseconds that it took to scan them.
        ScanNs => "scan.ns",
        /// Objects that are left to later calls.
        Deferred => "deferred",
        /// Of these, those of calls that were refused and may not enter a filesystem.
        DeferredNofs => "deferred_nofs",
        /// Scanned objects that earlier calls had left.
        Paid => "paid",
        /// Calls that may not enter a filesystem.
        NofsCalls => "nofs_calls",
    }
}

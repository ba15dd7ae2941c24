// SPDX-License-Identifier: GPL-2.0

//! What became of a write.

named! {
    /// What became of a folio that reclaim wrote.
    Kind {
        /// Queued to a block device.
        Io => "io" ("real I/O"),
        /// Written by the time the call returned: a synchronous device.
        Sync => "sync" ("synchronous"),
        /// Taken by zswap.
        Zswap => "zswap",
        /// All zeros: a mark in the swap table.
        Zero => "zero" ("zero-filled"),
        /// Its swap slot was no longer needed: nothing to write.
        Dropped => "dropped",
        /// The device refused it, or failed: it was not written, and stays in memory.
        Failed => "failed",
        /// Not known: the probe that would tell is not attached.
        Unknown => "unknown",
    }
}

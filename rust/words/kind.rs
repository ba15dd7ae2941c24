// SPDX-License-Identifier: GPL-2.0

//! What became of a write of reclaim.

named! {
    /// What became of a folio that reclaim wrote.
    Kind {
        /// It was queued to a block device.
        Io => "io" ("real I/O"),
        /// It was written by the time the call returned, by a synchronous device.
        Sync => "sync" ("synchronous"),
        /// zswap took it.
        Zswap => "zswap",
        /// It was full of zeros, so only a mark was put into the swap table.
        Zero => "zero" ("zero-filled"),
        /// Its swap slot was no longer needed, so there was nothing to write.
        Dropped => "dropped",
        /// The device refused it or failed. It was not written, and stays in memory.
        Failed => "failed",
        /// It is not known, because the probe that would tell is not attached.
        Unknown => "unknown",
    }
}

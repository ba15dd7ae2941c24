// SPDX-License-Identifier: GPL-2.0

//! Why kswapd does not come to rest.

named! {
    /// Reasons, in the order of their [names](KswapdReason::ALL).
    KswapdReason {
        /// There is memory enough, but no block as large as someone wants.
        Order => "order" ("no free block of the order that is wanted, though memory is enough"),
        /// Most of what the node has is locked, or else may not be reclaimed.
        Unevictable => "unevictable" ("most of the node's memory is locked or else unevictable"),
        /// Most of it is tmpfs or other shared memory, and no swap is free.
        Tmpfs => "tmpfs" ("most of the node's memory is tmpfs or other shared memory, and no swap is free for it"),
        /// Most of it is anonymous, and no swap is free.
        NoSwap => "no_swap" ("most of the node's memory is anonymous, and no swap is free for it"),
        /// Its watermarks ask for more than there is to reclaim.
        Watermarks => "watermarks" ("the high watermarks ask for more than half of what can be reclaimed"),
        /// What it looks at waits for a device, to be written.
        Writeback => "writeback" ("most of what it looks at is dirty or being written"),
        /// What it looks at is in use.
        InUse => "in_use" ("most of what it looks at is in use"),
        /// None of these: as much is taken as it frees.
        Demand => "demand" ("tasks take as much as it frees"),
    }
}

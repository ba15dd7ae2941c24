// SPDX-License-Identifier: GPL-2.0

//! Why kswapd does not come to rest.

named! {
    /// A reason why kswapd does not come to rest.
    KswapdReason {
        /// There is enough memory, but no free block of the size that is wanted.
        Order => "order" ("no free block of the order that is wanted, though memory is enough"),
        /// Most of the node's memory is locked, or cannot be reclaimed for another reason.
        Unevictable => "unevictable" ("most of the node's memory is locked or else unevictable"),
        /// Most of the node's memory is tmpfs or other shared memory, and no swap is free.
        Tmpfs => "tmpfs" ("most of the node's memory is tmpfs or other shared memory, and no swap is free for it"),
        /// Most of the node's memory is anonymous, and no swap is free.
        NoSwap => "no_swap" ("most of the node's memory is anonymous, and no swap is free for it"),
        /// The watermarks ask for more than half of what can be reclaimed.
        Watermarks => "watermarks" ("the high watermarks ask for more than half of what can be reclaimed"),
        /// Most of the pages that kswapd looks at are dirty or under writeback.
        Writeback => "writeback" ("most of what it looks at is dirty or being written"),
        /// Most of the pages that kswapd looks at are in use.
        InUse => "in_use" ("most of what it looks at is in use"),
        /// None of these: tasks take as much memory as kswapd frees.
        Demand => "demand" ("tasks take as much as it frees"),
    }
}

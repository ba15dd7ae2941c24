// SPDX-License-Identifier: GPL-2.0

//! Why kswapd does not come to rest: told from what its node has where it ends to balance it.

/// Reasons, in the order of their [names](KswapdReason::ALL).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KswapdReason {
    /// There is memory enough, but no block as large as someone wants.
    Order,
    /// Most of what the node has is locked, or else may not be reclaimed.
    Unevictable,
    /// Most of it is tmpfs or other shared memory, and no swap is free.
    Tmpfs,
    /// Most of it is anonymous, and no swap is free.
    NoSwap,
    /// Its watermarks ask for more than there is to reclaim.
    Watermarks,
    /// What it looks at waits for a device, to be written.
    Writeback,
    /// What it looks at is in use.
    InUse,
    /// None of these: as much is taken as it frees.
    Demand,
}

impl KswapdReason {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Order, "order"),
        (Self::Unevictable, "unevictable"),
        (Self::Tmpfs, "tmpfs"),
        (Self::NoSwap, "no_swap"),
        (Self::Watermarks, "watermarks"),
        (Self::Writeback, "writeback"),
        (Self::InUse, "in_use"),
        (Self::Demand, "demand"),
    ];

    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();
}

/// What the node has, in pages.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodePages {
    /// Free in the zones that are balanced.
    pub free: u64,
    /// What their high watermarks come to.
    pub high: u64,
    /// On the lists of anonymous memory, shmem included.
    pub anon: u64,
    /// Shared memory, tmpfs included.
    pub shmem: u64,
    /// On the lists of files.
    pub file: u64,
    /// Not to be reclaimed.
    pub unevictable: u64,
    /// Free pages of swap.
    pub swap_free: u64,
    /// A zone has what its high watermark asks for.
    pub enough: bool,
    /// And a block of the order asked for.
    pub block: bool,
}

/// What kswapd looked at in the pass that ends, in pages; all 0 when that is not recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass {
    /// Looked at.
    pub scanned: u64,
    /// Dirty, or under writeback.
    pub waiting: u64,
    /// Used again since they were put on the list.
    pub used: u64,
}

/// Why kswapd runs on, or is woken again at once.
pub fn why(node: &NodePages, pass: &Pass) -> KswapdReason {
    if node.enough && !node.block {
        return KswapdReason::Order;
    }
    let (anon, no_anon) = match node.swap_free {
        0 => (0, node.anon),
        _ => (node.anon, 0),
    };
    let can_go = node.file.saturating_add(anon);
    let stays = node.unevictable.saturating_add(no_anon);
    if stays > can_go {
        return if node.unevictable > no_anon {
            KswapdReason::Unevictable
        } else if node.shmem.saturating_mul(2) > no_anon {
            KswapdReason::Tmpfs
        } else {
            KswapdReason::NoSwap
        };
    }
    // It would have to take more than half of all that can go.
    if node.high.saturating_mul(2) > node.free.saturating_add(can_go) {
        return KswapdReason::Watermarks;
    }
    if pass.waiting.saturating_mul(2) > pass.scanned {
        return KswapdReason::Writeback;
    }
    if pass.used.saturating_mul(2) > pass.scanned {
        return KswapdReason::InUse;
    }
    KswapdReason::Demand
}

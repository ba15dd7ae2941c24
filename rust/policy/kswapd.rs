// SPDX-License-Identifier: GPL-2.0

//! Why kswapd does not come to rest: told from what its node has where it ends to balance it.

use crate::words::KswapdReason;

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

// SPDX-License-Identifier: GPL-2.0

//! Why kswapd does not come to rest, judged by the state of its node when it ends to balance it.

use crate::words::KswapdReason;

/// The state of a node, in pages.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodePages {
    /// Free pages in the zones that are balanced.
    pub free: u64,
    /// Sum of the high watermarks of these zones.
    pub high: u64,
    /// Pages on the lists of anonymous memory, with shmem.
    pub anon: u64,
    /// Pages of shared memory, with tmpfs.
    pub shmem: u64,
    /// Pages on the lists of files.
    pub file: u64,
    /// Pages that cannot be reclaimed.
    pub unevictable: u64,
    /// Free pages of swap.
    pub swap_free: u64,
    /// Whether a zone has reached its high watermark.
    pub enough: bool,
    /// Whether such a zone also has a free block of the order that was asked for.
    pub block: bool,
}

/// The pages at which kswapd looked in the pass that ends. All are 0 if they were not recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass {
    /// Pages that were scanned.
    pub scanned: u64,
    /// Pages that were dirty or under writeback.
    pub waiting: u64,
    /// Pages that were used since they were put on the list.
    pub used: u64,
}

/// Returns why kswapd goes on, or is woken again at once.
pub fn reason(node: &NodePages, pass: &Pass) -> KswapdReason {
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
    // kswapd would have to free more than half of all that can be freed.
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

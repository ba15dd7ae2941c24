// SPDX-License-Identifier: GPL-2.0

//! The write ledger: what reclaim wrote, by origin.
//!
//! One instance per CPU. Handlers in task context write it with preemption off.

use crate::{
    kernel_ext::cell::Cell64,
    shim::Folio,
    words::{
        Kind,
        Origin, //
    },
};
use pin_init::Zeroable;

/// Number of orders that are told apart. Larger folios count as the last one.
pub(crate) const ORDERS: usize = 11;

/// Number of nodes that are told apart. Higher ones count as the last one.
pub(crate) const NODES: usize = 17;

/// Folios, and the pages in them.
#[derive(Zeroable)]
pub(crate) struct FolioCount {
    /// Number of folios.
    pub(crate) folios: Cell64,
    /// Number of pages.
    pub(crate) pages: Cell64,
}

/// The counts of one origin.
#[derive(Zeroable)]
pub(crate) struct OriginWrites {
    /// Anonymous memory, by kind.
    pub(crate) anon: [FolioCount; Kind::COUNT],
    /// Shmem, by kind.
    pub(crate) shmem: [FolioCount; Kind::COUNT],
    /// Folios by order.
    pub(crate) orders: [Cell64; ORDERS],
    /// Pages by node.
    pub(crate) nodes: [Cell64; NODES],
    /// Windows that ended.
    pub(crate) windows: Cell64,
    /// Pages that were freed, as the end events of windows say.
    pub(crate) reclaimed: Cell64,
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct Writes {
    origins: [OriginWrites; Origin::COUNT],
}

impl Writes {
    /// Returns the counts of one origin.
    pub(crate) fn origin(&self, origin: Origin) -> Option<&OriginWrites> {
        self.origins.get(origin as usize)
    }

    /// Records `times` writes of folios that are alike.
    #[inline]
    pub(crate) fn record(&self, origin: Origin, kind: Kind, folio: &Folio, times: u64) {
        let Some(o) = self.origin(origin) else {
            return;
        };
        let pages = u64::from(folio.nr_pages).wrapping_mul(times);
        let by_kind = if folio.anon() { &o.anon } else { &o.shmem };
        if let Some(count) = by_kind.get(kind as usize) {
            count.folios.add(times);
            count.pages.add(pages);
        }
        if let Some(n) = o.orders.get((folio.order as usize).min(ORDERS - 1)) {
            n.add(times);
        }
        if let Some(n) = o.nodes.get((folio.nid as usize).min(NODES - 1)) {
            n.add(pages);
        }
    }

    /// Records that a window ended, in which `reclaimed` pages were freed.
    pub(crate) fn window(&self, origin: Origin, reclaimed: u64) {
        if let Some(o) = self.origin(origin) {
            o.windows.add(1);
            o.reclaimed.add(reclaimed);
        }
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The write ledger: what reclaim wrote, by origin.
//!
//! One instance per CPU, written with preemption off by handlers in task
//! context.

use crate::{
    kernel_ext::cell::Cell64,
    shim::Folio,
    words::{
        Kind,
        Origin, //
    },
};
use pin_init::Zeroable;

/// Orders told apart; larger folios count as the last.
pub(crate) const ORDERS: usize = 11;

/// Nodes told apart; higher ones count as the last.
pub(crate) const NODES: usize = 17;

/// Folios, and the pages in them.
#[derive(Zeroable)]
pub(crate) struct Count {
    /// Folios.
    pub(crate) folios: Cell64,
    /// Pages.
    pub(crate) pages: Cell64,
}

/// What one origin did.
#[derive(Zeroable)]
pub(crate) struct OriginWrites {
    /// Anonymous memory, by kind.
    pub(crate) anon: [Count; Kind::COUNT],
    /// Shmem, by kind.
    pub(crate) shmem: [Count; Kind::COUNT],
    /// Folios by order.
    pub(crate) orders: [Cell64; ORDERS],
    /// Pages by node.
    pub(crate) nodes: [Cell64; NODES],
    /// Windows that ended.
    pub(crate) windows: Cell64,
    /// Pages that the end events say were freed.
    pub(crate) reclaimed: Cell64,
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Writes {
    origins: [OriginWrites; Origin::COUNT],
}

impl Writes {
    /// What one origin did.
    pub(crate) fn origin(&self, origin: Origin) -> Option<&OriginWrites> {
        self.origins.get(origin as usize)
    }

    /// Records a write, so many times.
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

    /// Records that a window ended.
    pub(crate) fn window(&self, origin: Origin, reclaimed: u64) {
        if let Some(o) = self.origin(origin) {
            o.windows.add(1);
            o.reclaimed.add(reclaimed);
        }
    }
}

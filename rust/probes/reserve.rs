// SPDX-License-Identifier: GPL-2.0

//! Handlers for the reserves: pages that are taken from them, waits for them, dropped packets.
//!
//! These events are rare on a healthy machine, so the handlers can afford to look at the callers.

use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::Ledgers,
    policy::{
        classify::Caller,
        pfmemalloc, //
    },
    settings,
    shim::{
        reserve::Page,
        At,
        Context, //
    },
    tables::callers::FRAMES,
    words::{
        Origin,
        User,
        Woken, //
    },
};

/// What the callers tell about a page.
#[derive(Clone, Copy, Default)]
struct CallerInfo {
    /// The innermost caller that tells for whom the page is.
    by: Option<Caller>,
    /// The address of the innermost caller that is no allocator.
    site: Option<usize>,
    /// Whether the page is for a slab.
    slab: bool,
}

/// A page is allocated without regard to the watermarks. Any context.
pub(crate) fn taken(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, page: &Page) {
    if !settings::enabled() {
        return;
    }
    let task = at.context() == Context::Task;
    let mut info = CallerInfo::default();
    // If the scratch buffer is in use, the callers are not known, and that is counted.
    let _ = ledgers.callers(pin, FRAMES, |addr, caller| {
        if info.by.is_none() && pfmemalloc::tells_user(caller) {
            info.by = Some(caller);
        }
        match caller {
            Caller::Slab if info.site.is_none() => info.slab = true,
            Caller::Slab | Caller::Allocating | Caller::Locking => {}
            _ => info.site = info.site.or(Some(addr)),
        }
    });
    let slot = ledgers.windows.find(pin, at.task).filter(|_| task);
    let writer = slot.is_some_and(|s| s.origin() == Origin::Writer);
    let user = pfmemalloc::user(task, info.by, slot.is_some(), writer);
    let reserves = &ledgers.reserves;
    reserves.record_allocation(pin, user, page, info.slab, system::clock_ns());
    if user == User::Other {
        let pages = page.pages();
        if info
            .site
            .is_some_and(|site| !reserves.sites.add(site, pages))
        {
            ledgers.cost.this(pin).lost.sites.add(1);
        }
    }
}

/// The current task is about to wait for a node's reserves. Task context.
pub(crate) fn wait_begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, nid: u32) {
    if !settings::enabled() || at.context() != Context::Task {
        return;
    }
    if !ledgers
        .reserves
        .record_wait_begin(pin, at.task, nid, system::clock_ns())
    {
        ledgers.cost.this(pin).lost.waits.add(1);
    }
}

/// The current task stops waiting for a node's reserves.
pub(crate) fn wait_end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, woken: Woken) {
    if at.context() != Context::Task {
        return;
    }
    if !ledgers
        .reserves
        .record_wait_end(pin, at.task, woken, system::clock_ns())
    {
        ledgers.cost.this(pin).lost.waiters.add(1);
    }
}

/// A packet is dropped at `site`, because it lies in a page of the reserves. Any context.
pub(crate) fn dropped(ledgers: &Ledgers, pin: &Pinned<'_>, _: &At, site: usize) {
    if !settings::enabled() {
        return;
    }
    ledgers.reserves.counts.this(pin).drops.add(1);
    if !ledgers.reserves.drops.add(site, 1) {
        ledgers.cost.this(pin).lost.sites.add(1);
    }
}

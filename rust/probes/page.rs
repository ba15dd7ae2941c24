// SPDX-License-Identifier: GPL-2.0

//! Handler for allocations of pages.

use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::Ledgers,
    settings,
    shim::{
        At,
        Context, //
    },
};

/// A block of `order` is allocated. Any context.
pub(crate) fn alloc(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, order: u32) {
    if !settings::enabled() || !ledgers.takers.is_wanted(order) {
        return;
    }
    let task = at.context() == Context::Task;
    // A task that compacted, and takes its own block, is not a taker.
    if task
        && ledgers
            .stalls
            .open
            .with(pin, at.task, |o| o.waits_for_block())
            == Some(true)
    {
        return;
    }
    if !ledgers.takers.record_taken(pin, !task) {
        ledgers.cost.this(pin).lost.takers.add(1);
    }
}

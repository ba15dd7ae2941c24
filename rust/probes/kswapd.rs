// SPDX-License-Identifier: GPL-2.0

//! Handlers for kswapd. But for who wakes it, which may be an interrupt, all run in kswapd
//! itself.

use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::Ledgers,
    settings,
    shim::{
        At,
        Context,
        KswapdAt,
        Shrunk, //
    },
};

/// It begins to balance its node.
pub(crate) fn begin(ledgers: &Ledgers, at: &At, kswapd: &KswapdAt) {
    match settings::enabled() {
        true => ledgers.kswapd.begins(at.task, kswapd),
        false => ledgers.kswapd.skips(kswapd.nid),
    }
}

/// It ends, having freed so many pages.
pub(crate) fn end(ledgers: &Ledgers, at: &At, kswapd: &KswapdAt, reclaimed: usize) {
    if settings::enabled() {
        ledgers.kswapd.ends(at.task, kswapd, reclaimed as u64);
    }
}

/// It goes to sleep: memory is enough, or it has given up.
pub(crate) fn sleep(ledgers: &Ledgers, nid: u32, cpu_ns: u64) {
    if settings::enabled() {
        ledgers.kswapd.sleeps(nid, cpu_ns);
    }
}

/// Someone wakes it, for a block of that order. Any context.
pub(crate) fn woken(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, order: u32) {
    if !settings::enabled() {
        return;
    }
    let interrupt = at.context() != Context::Task;
    if !ledgers.kswapd.woken(pin, order, interrupt) {
        ledgers.cost.this(pin).lost.wakers.add(1);
    }
}

/// It is through with folios of a list.
pub(crate) fn shrunk(ledgers: &Ledgers, shrunk: &Shrunk) {
    if settings::enabled() {
        ledgers.kswapd.shrunk(shrunk);
    }
}

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
pub(crate) fn begin(obs: &Ledgers, at: &At, kswapd: &KswapdAt) {
    match settings::enabled() {
        true => obs.kswapd.begins(at.task, kswapd),
        false => obs.kswapd.skips(kswapd.nid),
    }
}

/// It ends, having freed so many pages.
pub(crate) fn end(obs: &Ledgers, at: &At, kswapd: &KswapdAt, reclaimed: usize) {
    if settings::enabled() {
        obs.kswapd.ends(at.task, kswapd, reclaimed as u64);
    }
}

/// It goes to sleep: memory is enough, or it has given up.
pub(crate) fn sleep(obs: &Ledgers, nid: u32, cpu_ns: u64) {
    if settings::enabled() {
        obs.kswapd.sleeps(nid, cpu_ns);
    }
}

/// Someone wakes it, for a block of that order. Any context.
pub(crate) fn woken(obs: &Ledgers, pin: &Pinned<'_>, at: &At, order: u32) {
    if !settings::enabled() {
        return;
    }
    let interrupt = at.context() != Context::Task;
    if !obs.kswapd.woken(pin, order, interrupt) {
        obs.cost.this(pin).lost.wakers.add(1);
    }
}

/// It is through with folios of a list.
pub(crate) fn shrunk(obs: &Ledgers, shrunk: &Shrunk) {
    if settings::enabled() {
        obs.kswapd.shrunk(shrunk);
    }
}

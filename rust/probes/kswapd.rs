// SPDX-License-Identifier: GPL-2.0

//! Handlers for kswapd. All run in kswapd itself, except [`woken`].

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

/// kswapd begins to balance its node.
pub(crate) fn begin(ledgers: &Ledgers, at: &At, kswapd: &KswapdAt) {
    match settings::enabled() {
        true => ledgers.kswapd.record_begin(at.task, kswapd),
        false => ledgers.kswapd.skip_pass(kswapd.nid),
    }
}

/// kswapd stops balancing its node. It has freed `reclaimed` pages.
pub(crate) fn end(ledgers: &Ledgers, at: &At, kswapd: &KswapdAt, reclaimed: usize) {
    if settings::enabled() {
        ledgers.kswapd.record_end(at.task, kswapd, reclaimed as u64);
    }
}

/// kswapd goes to sleep, because there is enough memory, or because it has given up.
pub(crate) fn sleep(ledgers: &Ledgers, nid: u32, cpu_ns: u64) {
    if settings::enabled() {
        ledgers.kswapd.record_sleep(nid, cpu_ns);
    }
}

/// A task or an interrupt wakes kswapd, for a block of `order`. Any context, with interrupts off.
pub(crate) fn woken(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, order: u32) {
    if !settings::enabled() {
        return;
    }
    let interrupt = at.context() != Context::Task;
    if !ledgers.kswapd.record_wakeup(pin, order, interrupt) {
        ledgers.cost.this(pin).lost.wakers.add(1);
    }
}

/// kswapd is through with a batch of folios of a list.
pub(crate) fn shrunk(ledgers: &Ledgers, shrunk: &Shrunk) {
    if settings::enabled() {
        ledgers.kswapd.record_shrunk(shrunk);
    }
}

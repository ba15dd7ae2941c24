// SPDX-License-Identifier: GPL-2.0

//! Handlers for TLB flushes inside reclaim windows.

use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::Ledgers,
    settings,
    shim::{
        At,
        Context, //
    },
    words::Flush, //
};

/// Reclaim asks for a flush. Returns true if the end of the flush has to be seen.
pub(super) fn begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, flush: Flush) -> bool {
    if !settings::enabled() || at.context() != Context::Task {
        return false;
    }
    let Some(slot) = ledgers.windows.find(pin, at.task) else {
        return false;
    };
    // The flush for dirty folios calls that for clean ones, which is then part of it.
    if slot.flushing().is_some() {
        return false;
    }
    slot.begin_flush(flush, system::clock_ns());
    if let Some(n) = ledgers.tlb.this(pin).of(slot.origin(), flush) {
        n.asked.add(1);
    }
    true
}

/// The flush is done.
pub(super) fn end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    let Some(slot) = ledgers.windows.find(pin, at.task) else {
        return;
    };
    if let Some((flush, began)) = slot.end_flush() {
        if let Some(n) = ledgers.tlb.this(pin).of(slot.origin(), flush) {
            n.ns.add(system::clock_ns().saturating_sub(began));
        }
    }
}

/// The current task interrupts other CPUs to flush their TLBs.
pub(crate) fn remote_flush(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    if !settings::enabled() || at.context() != Context::Task {
        return;
    }
    // Outside of a window this is munmap() or the like.
    let Some(slot) = ledgers.windows.find(pin, at.task) else {
        return;
    };
    let flush = slot.flushing().unwrap_or(Flush::Other);
    if let Some(n) = ledgers.tlb.this(pin).of(slot.origin(), flush) {
        n.ipis.add(1);
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Handlers for NBD. They sample the stack when a swap write is sent, and follow each request
//! through its phases. The network shares [`sample_inside`].

use super::stall;
use crate::{
    kernel_ext::{
        percpu::Pinned,
        system,
        tracepoint::ProbeState, //
    },
    ledgers::{
        nbd::{
            self,
            Admission, //
        },
        repeats::Recorded,
        windows::Slot,
        Ledgers, //
    },
    settings,
    shim::{
        nbd::NbdRequest,
        At, //
    },
    words::{
        Event,
        Function,
        Group,
        Kind,
        Layer, //
    },
};

/// NBD begins to send a swap write.
pub(crate) fn send(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    sample_inside(ledgers, pin, at, Layer::Nbd);
    stall::nbd_send(ledgers, pin, at, true);
}

/// The NBD driver gets a request. Called in the task that issues it.
pub(crate) fn queued(ledgers: &Ledgers, pin: &Pinned<'_>, request: &NbdRequest) {
    // If its end were not seen, the request would stay in the table.
    if !settings::enabled()
        || !ledgers.states.is_live(Group::Nbd)
        || !ledgers.states.is_attached(Event::RqComplete)
    {
        return;
    }
    let lost = &ledgers.cost.this(pin).lost;
    match ledgers.nbd.record_queued(request, system::clock_ns()) {
        Admission::Followed => {}
        Admission::InPlaceOfLost => lost.nbd_abandoned.add(1),
        Admission::Full => lost.nbd_requests.add(1),
    }
}

/// NBD begins to send a request, which `request` describes. Called in the task that sends.
pub(crate) fn sending(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    key: usize,
    request: impl FnOnce() -> NbdRequest,
) {
    if !ledgers.states.is_live(Group::Nbd) || ledgers.nbd.record_sending(key, system::clock_ns()) {
        return;
    }
    // The request is not in the table. It came before the probes did, or found no room, or the
    // function that gets requests is not probed.
    if ledgers.states.function(Function::NbdQueue) != ProbeState::Attached {
        queued(ledgers, pin, &request());
        ledgers.nbd.record_sending(key, system::clock_ns());
    }
}

/// A request reached a milestone. Called in the task that sends or receives.
pub(crate) fn record_step(ledgers: &Ledgers, key: usize, step: nbd::RequestStep) {
    if ledgers.states.is_live(Group::Nbd) {
        ledgers.nbd.record_step(key, step, system::clock_ns());
    }
}

/// NBD gives a request back to the block layer. Task context.
pub(crate) fn requeued(ledgers: &Ledgers, key: usize) {
    if ledgers.states.is_live(Group::Nbd) {
        ledgers.nbd.record_requeued(key, system::clock_ns());
    }
}

/// A request is completed. Any context, with interrupts off.
pub(crate) fn done(ledgers: &Ledgers, pin: &Pinned<'_>, key: usize, failed: bool) {
    if ledgers.states.is_live(Group::Nbd)
        && !ledgers
            .nbd
            .record_done(pin, key, failed, system::clock_ns())
    {
        ledgers.cost.this(pin).lost.nbd_longest.add(1);
    }
}

/// Records a sample of the stack if the current task is inside a window. A task outside of one,
/// kblockd for instance, sends on behalf of others, on a shallow stack. It is only counted, and
/// charged to no origin. Returns the slot of the task, and what was recorded, if a sample was.
pub(super) fn sample_inside<'a>(
    ledgers: &'a Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    layer: Layer,
) -> Option<(&'a Slot, Recorded)> {
    if !settings::enabled() || !ledgers.in_task(pin, at, layer) {
        return None;
    }
    let Some(slot) = ledgers.windows.find(pin, at.task) else {
        if let Some(n) = ledgers.cost.this(pin).outside(layer) {
            n.add(1);
        }
        return None;
    };
    let at = &ledgers.call_site(pin, at);
    let (origin, depth) = (slot.origin(), at.depth as u64);
    let used = slot.sample(layer, depth);
    ledgers.sample(pin, at, origin, layer, used);
    let recorded = Recorded {
        origin,
        kind: Kind::Io,
        folio: pin_init::zeroed(),
        headroom: at.headroom as u64,
        depth,
        used,
    };
    Some((slot, recorded))
}

// SPDX-License-Identifier: GPL-2.0

//! Handlers for NBD: a swap write goes out, and what each request is at. Also what the
//! layers below share.

use super::stall;
use crate::{
    kernel_ext::{
        percpu::Pinned,
        system,
        tracepoint::State, //
    },
    ledgers::{
        nbd::{
            self,
            Begun, //
        },
        Ledgers, //
    },
    settings,
    shim::{
        nbd::Request,
        At, //
    },
    words::{
        Event,
        Function,
        Group,
        Layer, //
    },
};

/// NBD sends a swap write.
pub(crate) fn send(obs: &Ledgers, pin: &Pinned<'_>, at: &At) {
    sample_inside(obs, pin, at, Layer::Nbd);
    stall::nbd(obs, pin, at, true);
}

/// The NBD driver gets a request. In the task that issues it.
pub(crate) fn queued(obs: &Ledgers, pin: &Pinned<'_>, request: &Request) {
    // Without its end it would stay in the table.
    if !settings::enabled()
        || !obs.states.live(Group::Nbd)
        || !obs.states.attached(Event::RqComplete)
    {
        return;
    }
    let lost = &obs.cost.this(pin).lost;
    match obs.nbd.queued(request, system::clock_ns()) {
        Begun::Followed => {}
        Begun::InPlaceOfLost => lost.nbd_abandoned.add(1),
        Begun::Full => lost.nbd_requests.add(1),
    }
}

/// It begins to send a request, of which `request` tells. In the task that sends.
pub(crate) fn sending(
    obs: &Ledgers,
    pin: &Pinned<'_>,
    key: usize,
    request: impl FnOnce() -> Request,
) {
    if !obs.states.live(Group::Nbd) || obs.nbd.sending(key, system::clock_ns()) {
        return;
    }
    // One that came before we did, or found no room; or where it cannot be seen to come.
    if obs.states.function(Function::NbdQueue) != State::Attached {
        queued(obs, pin, &request());
        obs.nbd.sending(key, system::clock_ns());
    }
}

/// A request has come to something. In the task that sends or receives.
pub(crate) fn is_at(obs: &Ledgers, key: usize, event: nbd::Event) {
    if obs.states.live(Group::Nbd) {
        obs.nbd.is_at(key, event, system::clock_ns());
    }
}

/// A request is given back to the block layer. Task context.
pub(crate) fn requeued(obs: &Ledgers, key: usize) {
    if obs.states.live(Group::Nbd) {
        obs.nbd.requeued(key, system::clock_ns());
    }
}

/// A request is completed. Any context, with interrupts off.
pub(crate) fn done(obs: &Ledgers, pin: &Pinned<'_>, key: usize, failed: bool) {
    if obs.states.live(Group::Nbd) && !obs.nbd.done(pin, key, failed, system::clock_ns()) {
        obs.cost.this(pin).lost.nbd_longest.add(1);
    }
}

/// Records a sample if the current task is inside a window. A task outside
/// one, kblockd for instance, sends on behalf of others, on a shallow stack:
/// it is counted, and charged to nobody.
pub(super) fn sample_inside(obs: &Ledgers, pin: &Pinned<'_>, at: &At, layer: Layer) {
    if !settings::enabled() || !obs.in_task(pin, at, layer) {
        return;
    }
    match obs.windows.find(pin, at.task) {
        Some(slot) => {
            let at = &obs.call_site(pin, at);
            let used = slot.sample(layer, at.depth as u64);
            obs.sample(pin, at, slot.origin(), layer, used);
        }
        None => {
            if let Some(n) = obs.cost.this(pin).outside(layer) {
                n.add(1);
            }
        }
    }
}

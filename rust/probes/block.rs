// SPDX-License-Identifier: GPL-2.0

//! Handlers for the block layer: swap bios, and those of our workers.

use crate::{
    kernel_ext::percpu::Pinned,
    observer::Observer,
    origin::Layer,
    params,
    shim::At, //
};

/// A swap write is submitted; `last_folio` is the last one in it.
pub(crate) fn bio(obs: &Observer, pin: &Pinned<'_>, at: &At, last_folio: usize, synchronous: bool) {
    if !obs.in_task(pin, at, Layer::Bio) {
        return;
    }
    let (slot, origin) = match obs.slot_or_origin(pin, at) {
        Ok(slot) => (Some(slot), slot.origin()),
        Err(origin) => (None, origin),
    };
    if let Some(slot) = slot {
        slot.submitted(last_folio, synchronous);
    }
    if !params::enabled() {
        return;
    }
    let used = slot.and_then(|s| s.sample(Layer::Bio, at.depth as u64));
    obs.sample(pin, at, origin, Layer::Bio, used);
}

/// A worker of the system submits a write of `pages`: is it one of ours?
pub(crate) fn worker_bio(obs: &Observer, pin: &Pinned<'_>, at: &At, pages: u32) {
    if obs.workers.has(at.task) {
        let [bios, of_pages] = &obs.write_around.this(pin).bios;
        bios.add(1);
        of_pages.add(u64::from(pages));
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Handler for NBD: a swap write goes out. Also what the layers below share.

use crate::{
    kernel_ext::percpu::Pinned,
    observer::Observer,
    origin::Layer,
    params,
    shim::At, //
};

/// NBD sends a swap write.
pub(crate) fn send(obs: &Observer, pin: &Pinned<'_>, at: &At) {
    sample_inside(obs, pin, at, Layer::Nbd);
}

/// Records a sample if the current task is inside a window. A task outside
/// one, kblockd for instance, sends on behalf of others, on a shallow stack:
/// it is counted, and charged to nobody.
pub(super) fn sample_inside(obs: &Observer, pin: &Pinned<'_>, at: &At, layer: Layer) {
    if !params::enabled() || !obs.in_task(pin, at, layer) {
        return;
    }
    match obs.windows.find(pin, at.task) {
        Some(slot) => {
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

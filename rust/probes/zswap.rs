// SPDX-License-Identifier: GPL-2.0

//! Handler for zswap.

use crate::{
    kernel_ext::percpu::Pinned,
    observer::Observer,
    shim::At, //
};

/// zswap is offered a folio: it is not all zeros. If no bio is submitted for it before the
/// write event that follows, zswap took it.
pub(crate) fn offered(obs: &Observer, pin: &Pinned<'_>, at: &At, folio: usize) {
    if let Ok(slot) = obs.slot_or_origin(pin, at) {
        slot.zswapped(folio);
    }
}

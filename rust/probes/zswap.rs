// SPDX-License-Identifier: GPL-2.0

//! Handler for zswap.

use crate::{
    kernel_ext::percpu::Pinned,
    observer::Observer,
    shim::At, //
};

/// zswap took a folio: the write event that follows is not I/O.
pub(crate) fn stored(obs: &Observer, pin: &Pinned<'_>, at: &At, folio: usize) {
    if let Ok(slot) = obs.slot_or_origin(pin, at) {
        slot.zswapped(folio);
    }
}

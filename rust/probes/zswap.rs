// SPDX-License-Identifier: GPL-2.0

//! Handlers for zswap.

use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::{
        swap_io::WritePurpose,
        Ledgers, //
    },
    settings,
    shim::{
        At,
        Context, //
    },
    words::Origin, //
};

/// Reclaim offers a folio to zswap, so the folio is not all zeros. If no bio is submitted for it
/// before the write event that follows, zswap took it.
pub(crate) fn offered(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, folio: usize) {
    if let Ok(slot) = ledgers.slot_or_origin(pin, at) {
        slot.set_zswapped(folio);
    }
}

/// The value that shrink_memcg_cb() returns when it has written the page back
/// (`LRU_REMOVED_RETRY`).
const WRITTEN_BACK: usize = 1;

/// shrink_memcg_cb() is called, for a page that zswap holds. Returns true if the end of the call
/// has to be seen. The task calls a shrinker, or is zswap's own worker, whose pool is full.
pub(crate) fn writeback_begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) -> bool {
    if at.context() != Context::Task {
        return false;
    }
    let origin = match ledgers.slot_or_origin(pin, at) {
        Ok(slot) => slot.origin(),
        Err(origin) => origin,
    };
    let purpose = WritePurpose {
        origin,
        zswap: true,
    };
    // An entry that is there was left behind because the end of its call was not seen.
    ledgers.swap_io.zswap.remove(pin, at.task);
    let followed = ledgers.swap_io.zswap.insert(pin, at.task, purpose);
    if !followed {
        ledgers.cost.this(pin).lost.zswap.add(1);
    }
    followed
}

/// shrink_memcg_cb() returns `ret`.
pub(crate) fn writeback_end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, ret: usize) {
    let Some(purpose) = ledgers.swap_io.zswap.remove(pin, at.task) else {
        return;
    };
    if ret & 0xffff_ffff != WRITTEN_BACK || !settings::enabled() {
        return;
    }
    let worker = purpose.origin == Origin::Other && at.worker();
    ledgers
        .swap_io
        .written_back(pin, (!worker).then_some(purpose.origin));
}

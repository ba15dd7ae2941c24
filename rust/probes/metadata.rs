// SPDX-License-Identifier: GPL-2.0

//! Handlers for the page cache of block devices.

use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::{
        metadata::Bitmap,
        windows::Slot,
        Ledgers, //
    },
    settings,
    shim::{
        At,
        Context, //
    },
    words::Group, //
};

/// A folio of a block device leaves the page cache.
pub(crate) fn evicted(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    dev: u32,
    index: u64,
    pages: u64,
) {
    if !settings::enabled() || at.context() != Context::Task {
        return;
    }
    // Without a window the folio was truncated, or dropped by drop_caches. That is not reclaim.
    let Some(origin) = ledgers.windows.find(pin, at.task).map(Slot::origin) else {
        return;
    };
    ledgers
        .metadata
        .evict(pin, dev, index, pages, origin, system::clock_ns());
}

/// ext4 reads a bitmap from its device.
pub(crate) fn bitmap(ledgers: &Ledgers, pin: &Pinned<'_>, dev: u32, group: u64, of: Bitmap) {
    if settings::enabled() && ledgers.states.is_live(Group::Metadata) {
        ledgers.metadata.bitmap(pin, dev, group, of);
    }
}

/// A folio of a block device enters the page cache. Any context.
pub(crate) fn read(ledgers: &Ledgers, pin: &Pinned<'_>, dev: u32, index: u64, pages: u64) {
    if settings::enabled() {
        ledgers
            .metadata
            .read(pin, dev, index, pages, system::clock_ns());
    }
}

// SPDX-License-Identifier: GPL-2.0

//! What C tells of zones and of pages from the reserves.

use crate::kernel_ext::system::COMM_LEN;

/// `struct rwb_zone`: a zone as it is, in pages.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Zone {
    /// Pages free.
    pub(crate) free: u64,
    /// Its min watermark, below which the reserve lies.
    pub(crate) min: u64,
    /// Its low watermark.
    pub(crate) low: u64,
    /// NUL-terminated.
    pub(crate) name: [u8; COMM_LEN],
}

/// `struct rwb_page`: a page that was allocated.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Page {
    /// Its node.
    pub(crate) nid: u32,
    /// Its zone.
    pub(crate) zid: u32,
    /// log2 of the pages that it comes with.
    pub(crate) order: u32,
    /// Pages that are left free in the zone.
    pub(crate) free: u64,
    /// The zone's min watermark.
    pub(crate) min: u64,
}

impl Page {
    /// Pages that it is.
    pub(crate) fn pages(&self) -> u64 {
        1u64.checked_shl(self.order).unwrap_or(0)
    }
}

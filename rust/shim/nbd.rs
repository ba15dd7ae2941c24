// SPDX-License-Identifier: GPL-2.0

//! Requests of NBD devices, and swap writes, as the C shim tells of them.

use super::rwb_nbd_request;
use crate::policy::batch::Place;
use pin_init::Zeroable;

/// A request that the NBD driver gets. Mirrors `struct rwb_nbd`.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct Request {
    /// Its address, as an opaque key.
    pub(crate) key: usize,
    /// Its size.
    pub(crate) bytes: u32,
    /// N of nbdN.
    pub(crate) index: u32,
    /// `RWB_NBD_*`.
    pub(crate) direction: u32,
}

impl Request {
    /// What is to be known of one.
    ///
    /// # Safety
    ///
    /// `request` is the address of a request of an NBD device that is live during the call.
    pub(super) unsafe fn new(request: usize) -> Self {
        let mut nbd = pin_init::zeroed();
        // SAFETY: By the safety requirement; `nbd` is valid for writes.
        unsafe { rwb_nbd_request(request, &mut nbd) };
        nbd
    }
}

/// A swap write that is submitted, or handed over. Mirrors `struct rwb_bio`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Bio {
    /// Its address, as an opaque key.
    pub(crate) key: usize,
    /// The last folio in it.
    pub(crate) last_folio: usize,
    cgroup: usize,
    start: u64,
    device: u32,
    bytes: u32,
    /// Folios in it.
    pub(crate) folios: u32,
    /// Folios that it has room for.
    pub(crate) room: u32,
    flags: u32,
}

impl Bio {
    /// Its device writes at once.
    pub(crate) fn synchronous(&self) -> bool {
        self.flags & 1 != 0
    }

    /// A driver made it of another one, in submitting that.
    pub(crate) fn stacked(&self) -> bool {
        self.flags & 2 != 0
    }

    /// Pages in it.
    pub(crate) fn pages(&self) -> u64 {
        u64::from(self.bytes) >> kernel::page::PAGE_SHIFT
    }

    /// Where it lies.
    pub(crate) fn place(&self) -> Place {
        Place {
            device: self.device.into(),
            start: self.start,
            end: self.start.wrapping_add(u64::from(self.bytes >> 9)),
            cgroup: self.cgroup as u64,
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl Bio {
    /// A write for tests that nobody submitted: of so many pages, each a folio.
    pub(crate) fn fake(key: usize, last_folio: usize, synchronous: bool, pages: u32) -> Self {
        Self {
            key,
            last_folio,
            cgroup: 0,
            start: 0,
            device: 1,
            bytes: pages * kernel::page::PAGE_SIZE as u32,
            folios: pages,
            room: 32,
            flags: synchronous.into(),
        }
    }

    /// The same, at a place, and of a cgroup.
    pub(crate) fn at(self, page: u64, cgroup: usize) -> Self {
        Self {
            start: page * 8,
            cgroup,
            ..self
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl Request {
    /// A request for tests, that no driver gets.
    pub(crate) fn fake(key: usize, index: u32, direction: u32, bytes: u32) -> Self {
        Self {
            key,
            bytes,
            index,
            direction,
        }
    }
}

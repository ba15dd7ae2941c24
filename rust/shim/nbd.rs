// SPDX-License-Identifier: GPL-2.0

//! Requests of NBD devices, and swap writes, as the C shim describes them.

use super::{
    rwb_nbd_request,
    RWB_BIO_STACKED,
    RWB_BIO_SYNC,
    RWB_BIO_UNSEEN, //
};
pub(crate) use super::{
    Bio,
    NbdRequest, //
};
use crate::policy::batch::Extent;

impl NbdRequest {
    /// Describes a request.
    ///
    /// # Safety
    ///
    /// `request` is the address of a request of an NBD device that is live during the call.
    pub(crate) unsafe fn new(request: usize) -> Self {
        let mut nbd: Self = pin_init::zeroed();
        // SAFETY: By the safety requirement; `nbd` is valid for writes.
        unsafe { rwb_nbd_request(request, &mut nbd) };
        nbd
    }
}

impl Bio {
    /// Whether the device of the bio writes at once.
    pub(crate) fn synchronous(&self) -> bool {
        self.flags & RWB_BIO_SYNC != 0
    }

    /// Whether the end of the bio is not seen: block_bio_complete does not fire for the bios of
    /// requests (see bio_endio()).
    pub(crate) fn ends_unseen(&self) -> bool {
        self.flags & RWB_BIO_UNSEEN != 0
    }

    /// Whether a driver made the bio from another one, while that was submitted.
    pub(crate) fn stacked(&self) -> bool {
        self.flags & RWB_BIO_STACKED != 0
    }

    /// Returns the number of the swap area that the bio goes to, and its device; `None` if the area
    /// is not known.
    pub(crate) fn swap_area(&self) -> Option<(usize, u32)> {
        let area = usize::try_from(self.swap.checked_sub(1)?).ok()?;
        Some((area, self.device))
    }

    /// Returns the size of the bio in pages.
    pub(crate) fn pages(&self) -> u64 {
        u64::from(self.bytes) >> kernel::page::PAGE_SHIFT
    }

    /// Returns where the bio lies, and the cgroup that its I/O is charged to.
    pub(crate) fn place(&self) -> Extent {
        Extent {
            device: self.device.into(),
            start: self.start,
            end: self.start.wrapping_add(u64::from(self.bytes >> 9)),
            cgroup: self.cgroup as u64,
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl Bio {
    /// Creates a write for tests that nobody submitted, of `pages` folios of one page.
    pub(crate) fn fake(key: usize, last_folio: usize, synchronous: bool, pages: u32) -> Self {
        Self {
            key,
            last_folio,
            cgroup: 0,
            start: 0,
            device: 1,
            bytes: pages.wrapping_mul(kernel::page::PAGE_SIZE as u32),
            folios: pages,
            room: 32,
            flags: u32::from(synchronous).wrapping_mul(RWB_BIO_SYNC),
            swap: 0,
            facts: 0,
        }
    }

    /// Changes the place of a write for tests to page `page`, and its cgroup.
    pub(crate) fn at(self, page: u64, cgroup: usize) -> Self {
        Self {
            start: page.wrapping_mul(8),
            cgroup,
            ..self
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl NbdRequest {
    /// Creates a request for tests that no driver gets.
    pub(crate) fn fake(key: usize, index: u32, direction: u32, bytes: u32) -> Self {
        Self {
            key,
            bytes,
            index,
            direction,
        }
    }
}

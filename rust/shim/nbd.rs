// SPDX-License-Identifier: GPL-2.0

//! Requests of NBD devices, and swap writes, as the C shim tells of them.

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
    /// What is to be known of one.
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
    /// Its device writes at once.
    pub(crate) fn synchronous(&self) -> bool {
        self.flags & RWB_BIO_SYNC != 0
    }

    /// Its end is not seen: block_bio_complete fires for no bio of a request (bio_endio()).
    pub(crate) fn ends_unseen(&self) -> bool {
        self.flags & RWB_BIO_UNSEEN != 0
    }

    /// A driver made it of another one, in submitting that.
    pub(crate) fn stacked(&self) -> bool {
        self.flags & RWB_BIO_STACKED != 0
    }

    /// Number of the swap area that it goes to, and its device.
    pub(crate) fn swap_area(&self) -> Option<(usize, u32)> {
        let area = usize::try_from(self.swap.checked_sub(1)?).ok()?;
        Some((area, self.device))
    }

    /// Pages in it.
    pub(crate) fn pages(&self) -> u64 {
        u64::from(self.bytes) >> kernel::page::PAGE_SHIFT
    }

    /// Where it lies.
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
    /// A write for tests that nobody submitted: of so many pages, each a folio.
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

    /// The same, at a place, and of a cgroup.
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

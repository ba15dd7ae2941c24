// SPDX-License-Identifier: GPL-2.0

//! The lanes of all swap devices.
//!
//! Locks: `Table::claim`, which guards the change of a lane's device; innermost.

use super::lane::Lane;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock, //
};

/// Swap devices that can be written to at once and be told apart.
pub(crate) const LANES: usize = 4;

/// All lanes.
#[pin_data]
pub(crate) struct Table {
    lanes: KVec<Pin<KBox<Lane>>>,
    pages: usize,
    #[pin]
    claim: SpinLock<()>,
}

impl Table {
    /// All lanes free, each with room for so many folios. Sleeps.
    pub(crate) fn new(pages: usize) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(move || {
            let mut lanes = KVec::with_capacity(LANES, GFP_KERNEL)?;
            for _ in 0..LANES {
                lanes.push(Lane::new(pages)?, GFP_KERNEL)?;
            }
            Ok(try_pin_init!(Self {
                lanes,
                pages,
                claim <- new_spinlock!((), "reclaimwb_swap_lanes"),
            }? Error))
        })
    }

    /// A lane.
    pub(crate) fn get(&self, lane: usize) -> Option<&Lane> {
        self.lanes.get(lane).map(|l| &**l)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().map(|l| &**l)
    }

    /// The lane of a device, if it has one.
    pub(crate) fn find(&self, device: u32) -> Option<usize> {
        self.iter().position(|l| device != 0 && l.serves(device))
    }

    /// The lane of a device that had none a moment ago: it gets a free one; `None` if
    /// there is none. Does not sleep.
    pub(crate) fn assign(&self, device: u32, blocking: bool) -> Option<usize> {
        if device == 0 {
            return None;
        }
        let _claim = self.claim.lock();
        if let Some(lane) = self.find(device) {
            return Some(lane);
        }
        let lane = self
            .iter()
            .position(|l| l.serves(0))
            .or_else(|| self.iter().position(Lane::unused))?;
        self.get(lane)?.serve(device, blocking);
        Some(lane)
    }

    /// Calls `f` with device and state of each lane that serves one.
    pub(crate) fn each(&self, mut f: impl FnMut(Name, &Lane)) {
        for lane in self.iter().filter(|l| !l.serves(0)) {
            f(Name(lane.device()), lane);
        }
    }

    /// Memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        LANES * Lane::bytes(self.pages)
    }
}

/// A swap device's name: major and minor number; the swap file of a filesystem without
/// a block device is `swap<type>`.
#[derive(Clone, Copy)]
pub(crate) struct Name(u32);

impl core::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 & 0x8000_0000 {
            // MAJOR() and MINOR() of include/linux/kdev_t.h.
            0 => write!(f, "{}:{}", self.0 >> 20, self.0 & 0xf_ffff),
            _ => write!(f, "swap{}", self.0 & 0x7fff_ffff),
        }
    }
}

// `pr_*!` and `writeln!` want one each.
impl kernel::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

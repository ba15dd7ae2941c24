// SPDX-License-Identifier: GPL-2.0

//! The lanes of all swap devices.
//!
//! Locks: `SwapLanes::claim`, which guards changes of a lane's device, before a lane's own.

use super::lane::SwapLane;
use crate::kernel_ext::system;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock, //
};

/// The number of swap devices that can be written to, and told apart, at the same time.
pub(crate) const LANES: usize = 4;

/// The modulus of cookies: a cookie modulo this is the lane of the request, plus 1.
const COOKIES: usize = 2 * LANES;

/// The lanes of all swap devices.
#[pin_data]
pub(crate) struct SwapLanes {
    lanes: KVec<Pin<KBox<SwapLane>>>,
    requests: usize,
    /// The number that was last put into a cookie. It begins with the time, in ns, and grows more
    /// slowly. So no cookie is that of an earlier helper, whose requests may still be in flight.
    #[pin]
    claim: SpinLock<usize>,
}

impl SwapLanes {
    /// Creates all lanes without a device, each with room for `requests`. Sleeps.
    pub(crate) fn new(requests: usize) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(move || {
            let mut lanes = KVec::with_capacity(LANES, GFP_KERNEL)?;
            for _ in 0..LANES {
                lanes.push(SwapLane::new(requests)?, GFP_KERNEL)?;
            }
            Ok(try_pin_init!(Self {
                lanes,
                requests,
                claim <- new_spinlock!(system::clock_ns() as usize, "reclaimwb_swap_lanes"),
            }? Error))
        })
    }

    /// Returns the lane with that index; `None` if there is none.
    pub(crate) fn get(&self, lane: usize) -> Option<&SwapLane> {
        self.lanes.get(lane).map(|l| &**l)
    }

    /// Returns an iterator over all lanes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &SwapLane> {
        self.lanes.iter().map(|l| &**l)
    }

    /// Returns the lane of a request or a batch with that cookie, and the lane's index; `None` if
    /// the cookie is not ours, or if the lane has been given to another device since. Requests in
    /// flight keep their lane.
    pub(crate) fn find(&self, cookie: usize) -> Option<(usize, &SwapLane)> {
        let index = (cookie % COOKIES).checked_sub(1)?;
        let lane = self.get(index)?;
        (lane.cookie() == cookie).then_some((index, lane))
    }

    /// Returns the lane of a device. A device that has none gets a free one; `None` if no lane is
    /// free. Does not sleep.
    pub(crate) fn lane_of(&self, device: u32) -> Option<usize> {
        let find = || self.iter().position(|l| l.serves(device));
        if let Some(lane) = find() {
            return Some(lane);
        }
        let mut claim = self.claim.lock();
        if let Some(lane) = find() {
            return Some(lane);
        }
        *claim = claim.wrapping_add(1);
        let first = claim.wrapping_mul(COOKIES);
        let lanes = || self.iter().enumerate();
        let serve = |index: usize, lane: &SwapLane| {
            let cookie = first | index.wrapping_add(1);
            lane.serve(device, cookie).then_some(index)
        };
        lanes()
            .filter(|(_, lane)| lane.serves(0))
            .find_map(|(index, lane)| serve(index, lane))
            .or_else(|| lanes().find_map(|(index, lane)| serve(index, lane)))
    }

    /// Calls `f` with the device and the state of each lane that has a device.
    pub(crate) fn for_each(&self, mut f: impl FnMut(SwapDeviceName, &SwapLane)) {
        for lane in self.iter().filter(|l| !l.serves(0)) {
            f(SwapDeviceName(lane.device()), lane);
        }
    }

    /// Returns the number of requests that each lane has room for.
    pub(crate) fn requests(&self) -> usize {
        self.requests
    }

    /// Returns the memory that the lanes take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        LANES.saturating_mul(SwapLane::bytes(self.requests))
    }
}

/// The name of a swap device: its major and minor number. A swap file of a filesystem without a
/// block device is `swap<type>`.
#[derive(Clone, Copy)]
pub(crate) struct SwapDeviceName(u32);

impl core::fmt::Display for SwapDeviceName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 & 0x8000_0000 {
            // The shifts are those of MAJOR() and MINOR() in include/linux/kdev_t.h.
            0 => write!(f, "{}:{}", self.0 >> 20, self.0 & 0xf_ffff),
            _ => write!(f, "swap{}", self.0 & 0x7fff_ffff),
        }
    }
}

// `pr_*!` and `writeln!` need this trait of the kernel crate.
impl kernel::fmt::Display for SwapDeviceName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

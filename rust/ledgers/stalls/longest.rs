// SPDX-License-Identifier: GPL-2.0

//! The longest stalls, whole.

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::pinned,
        system,
        trylock::TryLock, //
    },
    policy::nbd,
    shim::stall::StallEnd,
};
use kernel::prelude::*;
use pin_init::Zeroable;

/// Stalls that a CPU keeps whole: the longest.
const LONGEST: usize = 16;

/// A stall kept whole.
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct Kept {
    /// What it was; its length is 0 where there is none.
    pub(crate) stall: StallEnd,
    /// What of its wait was for NBD requests, in nanoseconds by what these were at.
    pub(crate) for_requests: nbd::PhaseTimes,
    /// Whose it was.
    pub(crate) pid: i32,
    /// Its name, NUL-terminated.
    pub(crate) comm: [u8; system::COMM_LEN],
}

/// Per-CPU instance: its longest stalls. A lock that only a reader ever shares.
#[derive(Zeroable)]
pub(crate) struct LongestStalls {
    /// The shortest one kept, once there are as many as can be.
    floor_ns: Cell64,
    kept: TryLock<[Kept; LONGEST]>,
}

impl LongestStalls {
    /// Keeps a stall if it is one of the longest; false when a reader was at it.
    pub(super) fn keep(&self, stall: &StallEnd, for_requests: &nbd::PhaseTimes) -> bool {
        if stall.ns <= self.floor_ns.get() {
            return true;
        }
        let kept = self.kept.try_with(|kept| {
            let Some(shortest) = kept.iter_mut().min_by_key(|k| k.stall.ns) else {
                return;
            };
            *shortest = Kept {
                stall: *stall,
                for_requests: *for_requests,
                pid: system::pid(),
                comm: system::comm(),
            };
            let floor = kept.iter().map(|k| k.stall.ns).min().unwrap_or(0);
            self.floor_ns.set(floor);
        });
        kept.is_some()
    }

    /// Adds what it keeps to `all`. Process context; may sleep.
    pub(super) fn copy(&self, all: &mut KVVec<Kept>) -> Result {
        all.reserve(LONGEST, GFP_KERNEL)?;
        let mut copy = |kept: &mut [Kept; LONGEST]| {
            for one in kept.iter().filter(|k| k.stall.ns != 0) {
                // There is room.
                let _ = all.push_within_capacity(*one);
            }
        };
        while pinned(|_| self.kept.try_with(&mut copy)).is_none() {}
        Ok(())
    }
}

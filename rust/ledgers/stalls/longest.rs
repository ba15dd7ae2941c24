// SPDX-License-Identifier: GPL-2.0

//! The longest stalls, with all that is known of them.

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

/// Number of stalls that each CPU keeps.
const LONGEST: usize = 16;

/// A stall that is kept.
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct LongestStall {
    /// The stall; its length is 0 if the place is free.
    pub(crate) stall: StallEnd,
    /// The part of the task's waits that was for NBD requests, in nanoseconds, by the phases of
    /// these.
    pub(crate) for_requests: nbd::PhaseTimes,
    /// The process id of the task.
    pub(crate) pid: i32,
    /// The name of the task, NUL-terminated.
    pub(crate) comm: [u8; system::COMM_LEN],
}

/// The instance of a CPU: its longest stalls. The lock is only tried. Only a reader, or an
/// interrupt, ever contends for it.
#[derive(Zeroable)]
pub(crate) struct LongestStalls {
    /// The length of the shortest stall that is kept; 0 while there are free places.
    floor_ns: Cell64,
    kept: TryLock<[LongestStall; LONGEST]>,
}

impl LongestStalls {
    /// Keeps a stall if it is one of the longest. Returns false if a reader used the table.
    pub(super) fn keep(&self, stall: &StallEnd, for_requests: &nbd::PhaseTimes) -> bool {
        if stall.ns <= self.floor_ns.get() {
            return true;
        }
        let kept = self.kept.try_with(|kept| {
            let Some(shortest) = kept.iter_mut().min_by_key(|k| k.stall.ns) else {
                return;
            };
            *shortest = LongestStall {
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

    /// Adds the stalls that are kept to `all`. Process context; may sleep. Fails with `ENOMEM`.
    pub(super) fn copy(&self, all: &mut KVVec<LongestStall>) -> Result {
        all.reserve(LONGEST, GFP_KERNEL)?;
        let mut copy = |kept: &mut [LongestStall; LONGEST]| {
            for one in kept.iter().filter(|k| k.stall.ns != 0) {
                // The loop copies at most `LONGEST` stalls, for which there is room.
                let _ = all.push_within_capacity(*one);
            }
        };
        while pinned(|_| self.kept.try_with(&mut copy)).is_none() {}
        Ok(())
    }
}

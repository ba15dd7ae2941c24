// SPDX-License-Identifier: GPL-2.0

//! What callback, worker and readers share of a lane: the device that it serves, and how that
//! device is doing.
//!
//! Locks: `FileLanes::names`, under which a lane gets another device (see
//! Documentation/design.rst).

use super::ring::LANES;
use crate::kernel_ext::{
    reclaim,
    system, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        SpinLock, //
    },
};

/// A device is stuck while one of our requests keeps it busy for longer than this, in nanoseconds.
/// Nothing is queued for a stuck device, and nobody waits for it.
const STUCK_NS: u64 = 5_000_000_000;

/// The state of a lane. Any context may read it.
pub(crate) struct LaneState {
    /// Address of the backing device, which is only compared; 0 if the lane is free.
    bdi: Atomic<usize>,
    /// Since when the worker has been inside the filesystem, in nanoseconds of `clock_ns()`; 0 if
    /// it is not inside.
    blocked_since: Atomic<u64>,
    /// Whether the worker runs.
    running: Atomic<bool>,
    /// Targets that are queued or at hand, and not yet decided.
    pub(crate) pending: Atomic<i64>,
    /// Targets that were queued since the lane got its device.
    pub(crate) queued: Atomic<u64>,
    /// Targets that were written since the lane got its device.
    pub(crate) written: Atomic<u64>,
    /// Windows that were written since the lane got its device.
    pub(crate) windows: Atomic<u64>,
    /// Pages under writeback that the worker submitted.
    pub(crate) inflight_pages: Atomic<u32>,
    /// Pages that may be under writeback at once: the budget.
    pub(crate) budget_pages: Atomic<u32>,
}

impl LaneState {
    const fn new() -> Self {
        Self {
            bdi: Atomic::new(0),
            blocked_since: Atomic::new(0),
            running: Atomic::new(false),
            pending: Atomic::new(0),
            queued: Atomic::new(0),
            written: Atomic::new(0),
            windows: Atomic::new(0),
            inflight_pages: Atomic::new(0),
            budget_pages: Atomic::new(0),
        }
    }

    /// Whether the lane serves the device with this address. With 0: whether the lane is free.
    pub(crate) fn serves(&self, bdi: usize) -> bool {
        self.bdi.load(Acquire) == bdi
    }

    /// Whether the device is stuck: see [`STUCK_NS`].
    pub(crate) fn stuck(&self) -> bool {
        let since = self.blocked_since.load(Relaxed);
        since != 0 && system::clock_ns().saturating_sub(since) > STUCK_NS
    }

    /// Runs `f`, which may block in the filesystem or its device, and makes the time visible to
    /// [`stuck`](Self::stuck).
    pub(crate) fn blocking<R>(&self, f: impl FnOnce() -> R) -> R {
        self.blocked_since.store(system::clock_ns().max(1), Relaxed);
        let r = f();
        self.blocked_since.store(0, Relaxed);
        r
    }

    /// Notes whether the worker runs.
    pub(crate) fn set_running(&self, running: bool) {
        self.running.store(running, Relaxed);
    }

    fn idle(&self) -> bool {
        self.pending.load(Relaxed) == 0 && !self.running.load(Relaxed)
    }
}

/// The lanes of write-around.
#[pin_data]
pub(crate) struct FileLanes {
    states: [LaneState; LANES],
    /// Names of the devices. The lock also guards changes of `LaneState::bdi`.
    #[pin]
    names: SpinLock<[[u8; 16]; LANES]>,
}

impl FileLanes {
    /// Initializes the lanes, which are all free.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            states: [const { LaneState::new() }; LANES],
            names <- new_spinlock!([[0; 16]; LANES], "reclaimwb_lanes"),
        })
    }

    /// Returns the state of a lane; `None` if there is no such lane.
    pub(crate) fn state(&self, lane: usize) -> Option<&LaneState> {
        self.states.get(lane)
    }

    /// Returns the lane of a device. A device that has none gets a free or idle one; `None` if
    /// there is no such lane. Does not sleep. The caller holds the lock of a folio of the device.
    pub(crate) fn lane_of(&self, bdi: &reclaim::BackingDevice<'_>) -> Option<usize> {
        let find = || self.states.iter().position(|s| s.serves(bdi.key()));
        if let Some(lane) = find() {
            return Some(lane);
        }
        let mut names = self.names.lock();
        if let Some(lane) = find() {
            return Some(lane);
        }
        // A device that comes back under its old name (a new dm or NBD device) gets its old lane,
        // so that no two lanes show the same name.
        let name = bdi.name();
        let idle = |lane: &usize| self.states.get(*lane).is_some_and(LaneState::idle);
        let lane = names
            .iter()
            .position(|n| *n == name && n.first() != Some(&0))
            .filter(idle)
            .or_else(|| self.states.iter().position(|s| s.serves(0)))
            .or_else(|| self.states.iter().position(LaneState::idle))?;
        let state = self.states.get(lane)?;
        *names.get_mut(lane)? = name;
        state.queued.store(0, Relaxed);
        state.written.store(0, Relaxed);
        state.windows.store(0, Relaxed);
        state.bdi.store(bdi.key(), Release);
        Some(lane)
    }

    /// Calls `f` with the name and state of each lane that serves a device.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&str, &LaneState)) {
        let names = *self.names.lock();
        for (state, name) in self.states.iter().zip(names) {
            let len = name.iter().position(|&b| b == 0).unwrap_or(name.len());
            let name = name.get(..len).and_then(|n| core::str::from_utf8(n).ok());
            if !state.serves(0) {
                f(name.unwrap_or("?"), state);
            }
        }
    }
}

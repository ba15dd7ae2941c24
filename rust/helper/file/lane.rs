// SPDX-License-Identifier: GPL-2.0

//! What hook, worker and readers share of a lane: which device it serves, and how
//! that device does.
//!
//! Locks: `Lanes::claim`, which guards the change of a lane's device; innermost.

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

/// A device that was busy with one request of ours for longer is stuck, until it
/// is done with it: nothing is queued for it, and nobody waits for it.
const STUCK_NS: u64 = 5_000_000_000;

/// State of a lane.
pub(crate) struct LaneState {
    /// Address of the backing device, 0: none.
    bdi: Atomic<usize>,
    /// Since when the worker is inside the filesystem, 0: it is not.
    blocked_since: Atomic<u64>,
    /// The worker runs.
    running: Atomic<bool>,
    /// Targets queued and not yet decided.
    pub(crate) pending: Atomic<i64>,
    /// Targets queued.
    pub(crate) queued: Atomic<u64>,
    /// Targets written.
    pub(crate) written: Atomic<u64>,
    /// Windows written.
    pub(crate) windows: Atomic<u64>,
    /// Pages under writeback through us.
    pub(crate) inflight_pages: Atomic<u32>,
    /// Pages that may be.
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

    /// Is it this device's lane?
    pub(crate) fn serves(&self, bdi: usize) -> bool {
        self.bdi.load(Acquire) == bdi
    }

    /// Does the device not answer? See [`STUCK_NS`].
    pub(crate) fn stuck(&self) -> bool {
        let since = self.blocked_since.load(Relaxed);
        since != 0 && system::clock_ns().saturating_sub(since) > STUCK_NS
    }

    /// Runs `f`, which may block in the filesystem or its device.
    pub(crate) fn blocking<R>(&self, f: impl FnOnce() -> R) -> R {
        self.blocked_since.store(system::clock_ns().max(1), Relaxed);
        let r = f();
        self.blocked_since.store(0, Relaxed);
        r
    }

    /// The worker runs, or not.
    pub(crate) fn set_running(&self, running: bool) {
        self.running.store(running, Relaxed);
    }

    fn idle(&self) -> bool {
        self.pending.load(Relaxed) == 0 && !self.running.load(Relaxed)
    }
}

/// All lanes.
#[pin_data]
pub(crate) struct FileLanes {
    states: [LaneState; LANES],
    /// Names of the devices, changed with `LaneState::bdi`.
    #[pin]
    names: SpinLock<[[u8; 16]; LANES]>,
}

impl FileLanes {
    /// All lanes free.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            states: [const { LaneState::new() }; LANES],
            names <- new_spinlock!([[0; 16]; LANES], "reclaimwb_lanes"),
        })
    }

    /// A lane's state.
    pub(crate) fn state(&self, lane: usize) -> Option<&LaneState> {
        self.states.get(lane)
    }

    /// The lane of a device, which gets a free one if it has none; `None` if
    /// there is none. Does not sleep. The device is that of a locked folio.
    pub(crate) fn lane_of(&self, bdi: &reclaim::BackingDevice<'_>) -> Option<usize> {
        let find = || self.states.iter().position(|s| s.serves(bdi.key()));
        if let Some(lane) = find() {
            return Some(lane);
        }
        let mut names = self.names.lock();
        if let Some(lane) = find() {
            return Some(lane);
        }
        // A device that comes back under its old name (a dm or NBD device made anew)
        // gets its old lane: no two have one name.
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

    /// Calls `f` with name and state of each lane that serves a device.
    pub(crate) fn each(&self, mut f: impl FnMut(&str, &LaneState)) {
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

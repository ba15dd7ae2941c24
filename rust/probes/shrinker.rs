// SPDX-License-Identifier: GPL-2.0

//! Handlers for shrinkers: one call, from its entry to its return.

use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::{
        windows::Slot,
        Ledgers, //
    },
    policy::shrink::Work,
    settings,
    shim::{
        function::Shrink,
        At,
        Context, //
    },
    words::{
        Group,
        Origin, //
    },
};

/// do_shrink_slab() is entered; true if it is followed.
pub(crate) fn begin(obs: &Ledgers, pin: &Pinned<'_>, at: &At, shrink: Shrink) -> bool {
    if !obs.states.live(Group::Shrinkers) || !settings::enabled() || at.context() != Context::Task {
        return false;
    }
    let slot = obs.windows.find(pin, at.task);
    // drop_caches and debugfs: nobody reclaims.
    let origin = slot.map_or(Origin::Other, Slot::origin);
    let followed = obs
        .shrinkers
        .begin(pin, at.task, shrink, origin, system::clock_ns());
    if !followed {
        obs.cost.this(pin).lost.shrinkers.add(1);
    }
    followed
}

/// It has counted its objects, and begins to scan them.
pub(crate) fn scans(obs: &Ledgers, pin: &Pinned<'_>, at: &At, work: Work) {
    obs.shrinkers.scans(pin, at.task, work, system::clock_ns());
}

/// It has scanned: `left` were left of what it had planned, `freed` were freed.
pub(crate) fn scanned(obs: &Ledgers, pin: &Pinned<'_>, at: &At, left: i64, freed: u64) {
    obs.shrinkers.scanned(pin, at.task, left, freed);
}

/// It returns.
pub(crate) fn end(obs: &Ledgers, pin: &Pinned<'_>, at: &At) {
    if !obs.shrinkers.end(pin, at.task, system::clock_ns()) {
        obs.cost.this(pin).lost.shrinkers.add(1);
    }
}

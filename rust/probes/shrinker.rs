// SPDX-License-Identifier: GPL-2.0

//! Handlers that follow the call of a shrinker from its entry to its return.

use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::{
        windows::Slot,
        Ledgers, //
    },
    policy::shrink::ScanPlan,
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

/// do_shrink_slab() is called. Returns true if the call is followed.
pub(crate) fn begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, shrink: Shrink) -> bool {
    if !ledgers.states.is_live(Group::Shrinkers)
        || !settings::enabled()
        || at.context() != Context::Task
    {
        return false;
    }
    let slot = ledgers.windows.find(pin, at.task);
    // drop_caches and debugfs call shrinkers outside of a window.
    let origin = slot.map_or(Origin::Other, Slot::origin);
    let followed = ledgers
        .shrinkers
        .begin(pin, at.task, shrink, origin, system::clock_ns());
    if !followed {
        ledgers.cost.this(pin).lost.shrinkers.add(1);
    }
    followed
}

/// The shrinker has counted its objects, and begins to scan them.
pub(crate) fn scan_begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, work: ScanPlan) {
    ledgers
        .shrinkers
        .record_scan_begin(pin, at.task, work, system::clock_ns());
}

/// The shrinker has scanned. `left` objects of the planned ones are left, negative if it scanned
/// more. `freed` were freed.
pub(crate) fn scan_end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, left: i64, freed: u64) {
    ledgers.shrinkers.record_scan_end(pin, at.task, left, freed);
}

/// do_shrink_slab() returns.
pub(crate) fn end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    let not_kept = ledgers.shrinkers.end(pin, at.task, system::clock_ns());
    if not_kept.any() {
        let lost = &ledgers.cost.this(pin).lost;
        lost.shrinkers.add(not_kept.events);
        lost.known_cgroups.add(not_kept.unknown.into());
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Handlers that follow the call of a shrinker, from its entry until it is through.

use super::stall;
use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::{
        cgroups::CgroupLoss,
        windows::Slot,
        Ledgers, //
    },
    policy::shrink::ScanPlan,
    settings,
    shim::{
        function::{
            Shrink,
            ShrinkCall, //
        },
        At,
        Context, //
    },
    words::{
        Group,
        Origin, //
    },
};

/// do_shrink_slab() is called.
pub(crate) fn begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, call: &ShrinkCall<'_>) {
    if !ledgers.states.is_live(Group::Shrinkers)
        || !settings::enabled()
        || at.context() != Context::Task
    {
        return;
    }
    let now = system::clock_ns();
    stall::begin_shrinker(ledgers, pin, at, now);
    let slot = ledgers.windows.find(pin, at.task);
    // drop_caches and debugfs call shrinkers outside of a window.
    let origin = slot.map_or(Origin::Other, Slot::origin);
    let not_kept = ledgers.shrinkers.begin(pin, slot, call.what(), origin, now);
    count_lost(ledgers, pin, &not_kept);
}

/// The shrinker has counted its objects, and begins to scan them. `shrink` tells what is called.
pub(crate) fn scan_begin(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    plan: ScanPlan,
    shrink: impl FnOnce() -> Shrink,
) {
    if !ledgers.states.is_live(Group::Shrinkers) {
        return;
    }
    let slot = ledgers.windows.find(pin, at.task);
    let now = system::clock_ns();
    if !ledgers
        .shrinkers
        .begin_scan(pin, slot, at.task, shrink, plan, now)
    {
        ledgers.cost.this(pin).lost.shrinkers.add(1);
    }
}

/// The shrinker has scanned. `left` objects of the planned ones are left, negative if it scanned
/// more. `freed` were freed.
pub(crate) fn scan_end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, left: i64, freed: u64) {
    let now = system::clock_ns();
    stall::end_shrinker(ledgers, pin, at, now);
    let slot = ledgers.windows.find(pin, at.task);
    let not_kept = ledgers
        .shrinkers
        .end_scan(pin, slot, at.task, left, freed, now);
    count_lost(ledgers, pin, &not_kept);
}

/// The current task, whose slot this is, does something else than to call a shrinker. If its last
/// call found no object, it has ended.
#[inline]
pub(super) fn end_untold(ledgers: &Ledgers, pin: &Pinned<'_>, slot: &Slot) {
    if slot.may_have_left_shrinker() {
        let not_kept = ledgers.shrinkers.end_untold(pin, slot, system::clock_ns());
        count_lost(ledgers, pin, &not_kept);
    }
}

fn count_lost(ledgers: &Ledgers, pin: &Pinned<'_>, not_kept: &CgroupLoss) {
    if not_kept.any() {
        let lost = &ledgers.cost.this(pin).lost;
        lost.shrinkers.add(not_kept.events);
        lost.known_cgroups.add(not_kept.unknown.into());
    }
}

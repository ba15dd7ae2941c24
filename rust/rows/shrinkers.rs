// SPDX-License-Identifier: GPL-2.0

//! `shrinkers`: calls of shrinkers and their results. Each combination of shrinker, origin, cgroup
//! and node has rows with a number, which has no meaning.

use crate::{
    kernel_ext::system,
    ledgers::{
        shrinkers::ShrinkerCalls,
        Ledgers, //
    },
    words::{
        Event,
        Function,
        Group,
        Origin,
        ShrinkerCount, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

/// Formats the file `shrinkers`.
pub(super) fn shrinkers(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let needs = [
        ledgers.states.function(Function::ShrinkSlab),
        ledgers.states.state(Event::ShrinkStart),
        ledgers.states.state(Event::ShrinkEnd),
    ];
    writeln!(f, "state {}", super::group(Group::Shrinkers, &needs))?;
    let totals = ledgers.shrinkers.totals().map_err(|_| fmt::Error)?;
    for (n, total) in totals.cgroups().enumerate() {
        let calls = ShrinkerCalls::new(&total.details);
        let origin = calls.origin.map_or("?", Origin::name);
        writeln!(f, "shrinker.{n}.name {}", system::text(&calls.name))?;
        writeln!(f, "shrinker.{n}.origin {origin}")?;
        let v1 = if calls.cgroup.is_v1() { "_v1" } else { "" };
        writeln!(f, "shrinker.{n}.cgroup{v1} {}", calls.cgroup.id())?;
        writeln!(f, "shrinker.{n}.node {}", calls.node)?;
        if total.missed != 0 {
            writeln!(f, "shrinker.{n}.missed.ns {}", total.missed)?;
        }
        for (key, count) in ShrinkerCount::NAMES.iter().zip(total.counts) {
            writeln!(f, "shrinker.{n}.{key} {count}")?;
        }
    }
    for (row, counts) in [("removed", &totals.removed), ("other", &totals.other)] {
        for (key, count) in ShrinkerCount::NAMES.iter().zip(counts) {
            writeln!(f, "{row}.{key} {count}")?;
        }
    }
    Ok(())
}

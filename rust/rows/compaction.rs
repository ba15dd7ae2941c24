// SPDX-License-Identifier: GPL-2.0

//! `compaction`: time, results and success of direct compaction, by order. Orders for which no task
//! compacted have no rows.

use crate::{
    kernel_ext::system,
    ledgers::{
        compaction::{
            Attempts,
            ORDERS, //
        },
        Ledgers, //
    },
    policy::log2,
    words::{
        CompactResult,
        Event,
        Function,
        Group,
        Outcome, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

/// Formats the file `compaction`.
pub(super) fn compaction(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let needs = [
        ledgers.states.function(Function::Compact),
        ledgers.states.function(Function::SlowPath),
    ];
    writeln!(f, "state {}", super::group(Group::Stalls, &needs))?;
    let ledger = &ledgers.compaction;
    for order in 0..ORDERS {
        let sum = |result, get: fn(&Attempts) -> u64| {
            ledger.sum(|c| c.order(order).and_then(|o| o.result(result)).map_or(0, get))
        };
        let mut results = [(0, 0); CompactResult::COUNT];
        for (sums, &result) in results.iter_mut().zip(CompactResult::ALL) {
            *sums = (
                sum(result, |t| t.attempts.get()),
                sum(result, |t| t.ns.get()),
            );
        }
        if results.iter().all(|(attempts, _)| *attempts == 0) {
            continue;
        }
        for (name, (attempts, ns)) in CompactResult::NAMES.iter().zip(results) {
            writeln!(f, "order.{order}.{name}.attempts {attempts}")?;
            writeln!(f, "order.{order}.{name}.ns {ns}")?;
        }
        for &outcome in Outcome::ALL {
            let name = outcome.name();
            let n = ledger.sum(|c| c.order(order).map_or(0, |o| o.outcome(outcome)));
            writeln!(f, "order.{order}.{name} {n}")?;
        }
        let races = ledger.sum(|c| c.order(order).map_or(0, |o| o.races.get()));
        writeln!(f, "order.{order}.races {races}")?;
        for bucket in 0..log2::BUCKETS {
            let n = ledger.sum(|c| c.order(order).map_or(0, |o| o.hist.get(bucket)));
            if n != 0 {
                let from = log2::lower_bound(bucket);
                writeln!(f, "order.{order}.hist.us.{from} {n}")?;
            }
        }
    }
    // The attempts tell which tasks wait for a block.
    let takers = match super::group(Group::Stalls, &needs) {
        "on" => super::group(Group::Takers, &[ledgers.states.state(Event::PageAlloc)]),
        state => state,
    };
    writeln!(f, "takers {takers}")?;
    let takers = ledgers.takers.totals().map_err(|_| fmt::Error)?;
    for (n, taker) in takers.iter().enumerate() {
        writeln!(f, "taker.{n}.task {}", system::text(&taker.comm))?;
        writeln!(f, "taker.{n}.blocks {}", taker.times)?;
        writeln!(f, "taker.{n}.interrupts {}", taker.amount)?;
    }
    Ok(())
}

// SPDX-License-Identifier: GPL-2.0

//! `compaction`: what direct compaction took, said and brought, by order. Orders that
//! nobody asked for have no row.

use crate::{
    kernel_ext::system,
    ledgers::{
        compaction::ORDERS,
        Ledgers, //
    },
    policy::{
        compaction::{
            CompactResult,
            Outcome, //
        },
        log2, //
    },
    words::{
        Event,
        Function,
        Group, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

/// Writes the file.
pub(super) fn compaction(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let needs = [
        ledgers.states.function(Function::Compact),
        ledgers.states.function(Function::SlowPath),
    ];
    writeln!(f, "state {}", super::group(Group::Stalls, &needs))?;
    let ledger = &ledgers.compaction;
    for order in 0..ORDERS {
        let results = CompactResult::ALL.map(|(result, name)| {
            let sum = |get: fn(&crate::ledgers::compaction::Tried) -> u64| {
                ledger.sum(|c| c.order(order).and_then(|o| o.result(result)).map_or(0, get))
            };
            (name, sum(|t| t.attempts.get()), sum(|t| t.ns.get()))
        });
        if results.iter().all(|(_, attempts, _)| *attempts == 0) {
            continue;
        }
        for (name, attempts, ns) in results {
            writeln!(f, "order.{order}.{name}.attempts {attempts}")?;
            writeln!(f, "order.{order}.{name}.ns {ns}")?;
        }
        for (outcome, name) in Outcome::ALL {
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
    // Who waits for a block is known from the attempts.
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

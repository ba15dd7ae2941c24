// SPDX-License-Identifier: GPL-2.0

//! `kswapd`: what kswapd costs, what it scans, why it does not rest, and which tasks wake it.

use crate::{
    kernel_ext::system,
    ledgers::{
        kswapd::KswapdNode,
        writes::ORDERS,
        Ledgers, //
    },
    words::{
        Event,
        Group,
        KswapdReason, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

/// Formats the file `kswapd`.
pub(super) fn kswapd(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let passes = [Event::BalanceBegin, Event::BalanceEnd, Event::KswapdSleep];
    let state = match passes.into_iter().all(|e| ledgers.states.state(e).works()) {
        true => "on",
        false => "unavailable",
    };
    writeln!(f, "state {state}")?;
    let needs = [
        ledgers.states.state(Event::Isolated),
        ledgers.states.state(Event::Shrunk),
    ];
    writeln!(f, "scans {}", super::group(Group::Stalls, &needs))?;
    for (nid, node) in ledgers.kswapd.nodes() {
        figures(f, nid, node)?;
    }
    let wakes = match ledgers.states.state(Event::KswapdWoken).works() {
        true => "on",
        false => "unavailable",
    };
    writeln!(f, "wakes {wakes}")?;
    for order in 0..ORDERS {
        let n = ledgers.kswapd.wakeups.sum(|w| w.order(order));
        writeln!(f, "wake.order.{order}.times {n}")?;
    }
    let interrupts = ledgers.kswapd.wakeups.sum(|w| w.interrupts.get());
    writeln!(f, "wake.interrupts {interrupts}")?;
    let wakers = ledgers.kswapd.wakers.totals().map_err(|_| fmt::Error)?;
    for (n, waker) in wakers.iter().enumerate() {
        writeln!(f, "waker.{n}.task {}", system::text(&waker.comm))?;
        writeln!(f, "waker.{n}.times {}", waker.times)?;
        writeln!(f, "waker.{n}.large {}", waker.amount)?;
    }
    Ok(())
}

fn figures(f: &mut fmt::Formatter<'_>, nid: usize, node: &KswapdNode) -> fmt::Result {
    for (name, figure) in [
        ("cpu.ns", &node.cpu_ns),
        ("windows", &node.windows),
        ("fruitless", &node.fruitless),
        ("sleeps", &node.sleeps),
        ("reclaimed.pages", &node.reclaimed),
        ("scanned.pages", &node.scanned),
        ("isolated.pages", &node.isolated),
        ("dirty", &node.dirty),
        ("writeback", &node.writeback),
        ("activated", &node.activated),
        ("referenced", &node.referenced),
        ("mapped", &node.mapped),
    ] {
        writeln!(f, "node.{nid}.{name} {}", figure.get())?;
    }
    for (order, n) in node.orders.iter().enumerate() {
        writeln!(f, "node.{nid}.order.{order}.windows {}", n.get())?;
    }
    for &reason in KswapdReason::ALL {
        let name = reason.name();
        let Some(passes) = node.passes(reason) else {
            continue;
        };
        writeln!(f, "node.{nid}.why.{name}.windows {}", passes.windows.get())?;
        writeln!(f, "node.{nid}.why.{name}.cpu.ns {}", passes.cpu_ns.get())?;
    }
    let left = &node.last_pages;
    for (name, figure) in [
        ("free", &left.free),
        ("high", &left.high),
        ("anon", &left.anon),
        ("shmem", &left.shmem),
        ("file", &left.file),
        ("unevictable", &left.unevictable),
        ("swap_free", &left.swap_free),
    ] {
        writeln!(f, "node.{nid}.left.{name}.pages {}", figure.get())?;
    }
    Ok(())
}

// SPDX-License-Identifier: GPL-2.0

//! `reserves`: users of pages that were allocated without regard to the watermarks, the lowest
//! counts of zones, tasks that waited for the reserves, and packets that were dropped for lack of
//! them.

use crate::{
    kernel_ext::{
        reclaim,
        symbol,
        system,
        zone, //
    },
    ledgers::{
        reserves::UserAllocations,
        Ledgers, //
    },
    policy::log2,
    tables::sites::Sites,
    words::{
        Event,
        Group,
        User,
        Woken, //
    },
};
use kernel::{
    fmt,
    prelude::*,
    sync::Arc, //
};

/// Formats the file `reserves`.
pub(super) fn reserves(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut symbol = KBox::new([0; symbol::SYMBOL_LEN], GFP_KERNEL).map_err(|_| fmt::Error)?;
    taken(ledgers, f, &mut symbol)?;
    zones(ledgers, f)?;
    waits(ledgers, f)?;

    let drops = super::group(Group::Reserves, &[ledgers.states.state(Event::SkbDropped)]);
    writeln!(f, "drops {drops}")?;
    let n = ledgers.reserves.counts.sum(|c| c.drops.get());
    writeln!(f, "drops.packets {n}")?;
    sites(f, "drop", "packets", &ledgers.reserves.drops, &mut symbol)?;
    if let Some(n) = zone::memalloc_sockets() {
        writeln!(f, "sockets.memalloc {n}")?;
    }
    Ok(())
}

fn taken(
    ledgers: &Ledgers,
    f: &mut fmt::Formatter<'_>,
    symbol: &mut symbol::SymbolBuffer,
) -> fmt::Result {
    let state = super::group(
        Group::Reserves,
        &[ledgers.states.state(Event::ReserveTaken)],
    );
    writeln!(f, "state {state}")?;
    let counts = &ledgers.reserves.counts;
    for &user in User::ALL {
        let name = user.name();
        let sum = |get: fn(&UserAllocations) -> u64| counts.sum(|c| c.user(user).map_or(0, get));
        // Other CPUs count meanwhile, a page first and then that it was below min. In this order
        // those below min are not more than all.
        let below = sum(|t| t.below.get());
        let pages = sum(|t| t.pages.get());
        writeln!(f, "{name}.allocations {}", sum(|t| t.allocations.get()))?;
        writeln!(f, "{name}.pages {pages}")?;
        writeln!(f, "{name}.below_min.pages {below}")?;
    }
    writeln!(f, "slabs {}", counts.sum(|c| c.slabs.get()))?;
    sites(f, "site", "pages", &ledgers.reserves.sites, symbol)
}

fn sites(
    f: &mut fmt::Formatter<'_>,
    prefix: &str,
    unit: &str,
    sites: &Sites,
    symbol: &mut symbol::SymbolBuffer,
) -> fmt::Result {
    for (i, (addr, n)) in sites.all().enumerate() {
        writeln!(f, "{prefix}.{i}.at {}", symbol::name(addr, symbol))?;
        writeln!(f, "{prefix}.{i}.{unit} {n}")?;
    }
    Ok(())
}

fn zones(ledgers: &Ledgers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for nid in 0..reclaim::nodes() as u32 {
        for zid in 0..zone::ZONES as u32 {
            let Some(now) = zone::zone(nid, zid) else {
                continue;
            };
            let name = zone::name(&now);
            writeln!(f, "zone.{nid}.{name}.free.pages {}", now.free)?;
            writeln!(f, "zone.{nid}.{name}.min.pages {}", now.min)?;
            writeln!(f, "zone.{nid}.{name}.low.pages {}", now.low)?;
            if let Some((free, min, at)) = ledgers.reserves.lowest(nid, zid) {
                writeln!(f, "zone.{nid}.{name}.lowest.free.pages {free}")?;
                writeln!(f, "zone.{nid}.{name}.lowest.min.pages {min}")?;
                writeln!(f, "zone.{nid}.{name}.lowest.at.ns {at}")?;
            }
        }
    }
    Ok(())
}

fn waits(ledgers: &Ledgers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let needs = [
        ledgers.states.state(Event::WaitBegin),
        ledgers.states.state(Event::WaitEnd),
    ];
    writeln!(f, "waits {}", super::group(Group::Reserves, &needs))?;
    let counts = &ledgers.reserves.counts;
    for &woken in Woken::ALL {
        let name = woken.name();
        let n = counts.sum(|c| c.waits(woken).map_or(0, |w| w.waits.get()));
        let ns = counts.sum(|c| c.waits(woken).map_or(0, |w| w.ns.get()));
        writeln!(f, "wait.{name}.waits {n}")?;
        writeln!(f, "wait.{name}.ns {ns}")?;
    }
    for bucket in 0..log2::BUCKETS {
        let n = counts.sum(|c| c.hist.get(bucket));
        if n != 0 {
            writeln!(f, "wait.hist.us.{} {n}", log2::lower_bound(bucket))?;
        }
    }
    writeln!(f, "wait.open {}", ledgers.reserves.waiting.len())?;
    for (nid, waits, ns, longest) in ledgers.reserves.nodes() {
        writeln!(f, "node.{nid}.waits {waits}")?;
        writeln!(f, "node.{nid}.ns {ns}")?;
        writeln!(f, "node.{nid}.longest.ns {longest}")?;
    }
    let waiters = ledgers.reserves.waiters.totals().map_err(|_| fmt::Error)?;
    for (n, waiter) in waiters.iter().enumerate() {
        writeln!(f, "waiter.{n}.task {}", system::text(&waiter.comm))?;
        writeln!(f, "waiter.{n}.waits {}", waiter.times)?;
        writeln!(f, "waiter.{n}.ns {}", waiter.amount)?;
    }
    Ok(())
}

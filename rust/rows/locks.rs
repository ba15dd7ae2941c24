// SPDX-License-Identifier: GPL-2.0

//! `stalls_locks`: tasks that waited for a lock while the task that held it stalled. A row for
//! each call site, cause and sort of holder, by number; the numbers mean nothing.

use crate::{
    kernel_ext::{
        symbol,
        system, //
    },
    ledgers::{
        stalls::LockRow,
        Ledgers, //
    },
    shim,
    words::{
        Event,
        Group, //
    },
};
use kernel::{
    fmt,
    prelude::*,
    sync::Arc, //
};

/// Writes the file.
pub(super) fn locks(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let needs = [
        ledgers.states.state(Event::ContentionBegin),
        ledgers.states.state(Event::ContentionEnd),
    ];
    let state = match super::group(Group::Stalls, &needs) {
        "on" if !shim::stall::locks_tell_holders() => "unavailable",
        state => state,
    };
    writeln!(f, "state {state}")?;
    let mut symbol = KBox::new([0; symbol::SYMBOL_LEN], GFP_KERNEL).map_err(|_| fmt::Error)?;
    let locks = &ledgers.stalls.locks;
    let rows = locks.rows().map_err(|_| fmt::Error)?;
    let sum = |get: fn(&LockRow) -> u64| rows.iter().fold(0, |a: u64, r| a.wrapping_add(get(r)));
    writeln!(f, "waits {}", sum(|r| r.waits))?;
    writeln!(f, "ns {}", sum(|r| r.ns))?;
    let stalled = locks.waits_of_stalled();
    writeln!(f, "stalled.waits {}", stalled.waits)?;
    writeln!(f, "stalled.ns {}", stalled.ns)?;
    for (i, row) in rows.iter().enumerate() {
        let LockRow { waits, ns, .. } = row;
        if row.site == 0 {
            writeln!(f, "other.waits {waits}")?;
            writeln!(f, "other.ns {ns}")?;
            continue;
        }
        let holder = if row.is_reader { "readers" } else { "task" };
        writeln!(f, "lock.{i}.at {}", symbol::name(row.site, &mut symbol))?;
        writeln!(f, "lock.{i}.cause {}", row.cause.map_or("?", |c| c.name()))?;
        writeln!(f, "lock.{i}.held_by {holder}")?;
        writeln!(f, "lock.{i}.waits {waits}")?;
        writeln!(f, "lock.{i}.ns {ns}")?;
        let longest = &row.longest;
        writeln!(f, "lock.{i}.longest.ns {}", longest.ns)?;
        for (of, id) in [("waiter", &longest.waiter), ("holder", &longest.holder)] {
            writeln!(f, "lock.{i}.longest.{of} {}", system::text(&id.comm))?;
            writeln!(f, "lock.{i}.longest.{of}.pid {}", id.pid)?;
        }
    }
    Ok(())
}

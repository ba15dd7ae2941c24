// SPDX-License-Identifier: GPL-2.0

//! `stalls`, `stalls_cgroups`, `stalls_longest`: what the time of stalled tasks was spent on.

use super::Paths;
use crate::{
    kernel_ext::{
        cell::Cell64,
        system,
        tracepoint::ProbeState, //
    },
    ledgers::{
        stalls::{
            CgroupStalls,
            OriginStalls,
            COUNTS,
            ORIGINS, //
        },
        Ledgers, //
    },
    policy::log2,
    settings,
    words::{
        Cause,
        Event,
        Function,
        Group,
        Origin,
        Phase, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

/// Returns whether the time of this cause can be told apart on this kernel, with the current
/// parameters.
fn state(ledgers: &Ledgers, cause: Cause) -> &'static str {
    let on = |event| ledgers.states.state(event);
    let probed = |function| ledgers.states.function(function);
    let needs = match cause {
        Cause::Unexplained => [probed(Function::SlowPath); 2],
        Cause::Scan => [on(Event::DirectBegin), on(Event::Switch)],
        Cause::LruLock | Cause::Lock | Cause::NbdLock => [on(Event::ContentionBegin); 2],
        Cause::Shrinker => [probed(Function::ShrinkSlab); 2],
        Cause::ThrottleWriteback
        | Cause::ThrottleIsolated
        | Cause::ThrottleNoprogress
        | Cause::ThrottleCongested => [on(Event::Throttled), on(Event::Switch)],
        Cause::Pfmemalloc => [probed(Function::TryToFree); 2],
        Cause::SwapSubmit => [probed(Function::SwapSubmit); 2],
        Cause::TagWait => [on(Event::TagWait), on(Event::Switch)],
        Cause::RqQos => [probed(Function::RqQos); 2],
        Cause::NbdSend => [on(Event::NbdSend), on(Event::NbdSent)],
        Cause::Tlb => [probed(Function::TlbFlush), probed(Function::TlbFlushDirty)],
        Cause::Compaction => [probed(Function::Compact); 2],
        Cause::Drain => [probed(Function::DrainPages), probed(Function::DrainLru)],
        Cause::HighPenalty => [probed(Function::OverHigh); 2],
        Cause::Runqueue | Cause::OffCpu => [on(Event::Switch); 2],
    };
    if needs.iter().all(|s| s.works()) {
        "available"
    } else if needs.contains(&ProbeState::Off) {
        "off"
    } else if needs.contains(&ProbeState::Waiting) {
        "waiting"
    } else {
        "unavailable"
    }
}

/// Formats the buckets of a histogram that are not empty.
fn hist(f: &mut fmt::Formatter<'_>, key: &dyn Key, get: &dyn Fn(usize) -> u64) -> fmt::Result {
    for bucket in 0..log2::BUCKETS {
        let n = get(bucket);
        if n != 0 {
            key.write(f)?;
            writeln!(f, "hist.us.{} {n}", log2::lower_bound(bucket))?;
        }
    }
    Ok(())
}

/// The text with which the rows of a histogram begin.
trait Key {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> Key for F {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self(f)
    }
}

fn origin(ledgers: &Ledgers, f: &mut fmt::Formatter<'_>, origin: Origin) -> fmt::Result {
    let Some(ledger) = ledgers.stalls.origin(origin) else {
        return Ok(());
    };
    let name = origin.name();
    let sum = |get: fn(&OriginStalls) -> &Cell64| ledger.sum(|l| get(l).get());
    writeln!(f, "{name}.stalls {}", sum(|l| &l.stalls))?;
    writeln!(f, "{name}.ns {}", sum(|l| &l.ns))?;
    let longest = ledger.max(|l| l.longest_ns.get());
    writeln!(f, "{name}.longest.ns {longest}")?;
    writeln!(f, "{name}.scanned.pages {}", sum(|l| &l.scanned))?;
    writeln!(f, "{name}.freed.pages {}", sum(|l| &l.freed))?;
    hist(
        f,
        &|f: &mut fmt::Formatter<'_>| write!(f, "{name}."),
        &|b| ledger.sum(|l| l.hist.get(b)),
    )?;
    for &cause in Cause::ALL {
        let part = cause.name();
        let ns = ledger.sum(|l| l.part(cause).map_or(0, |p| p.ns.get()));
        writeln!(f, "{name}.part.{part}.ns {ns}")?;
        hist(
            f,
            &|f: &mut fmt::Formatter<'_>| write!(f, "{name}.part.{part}."),
            &|b| ledger.sum(|l| l.part(cause).map_or(0, |p| p.hist.get(b))),
        )?;
    }
    Ok(())
}

/// Formats the file `stalls`.
pub(super) fn stalls(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let on = if settings::group(Group::Stalls) {
        "on"
    } else {
        "off"
    };
    writeln!(f, "state {on}")?;
    let envelope = match ledgers.states.function(Function::SlowPath) {
        state if state.works() => "slow_path",
        _ => "window",
    };
    writeln!(f, "envelope {envelope}")?;
    for &cause in Cause::ALL {
        writeln!(f, "part.{} {}", cause.name(), state(ledgers, cause))?;
    }
    for o in ORIGINS {
        origin(ledgers, f, o)?;
    }
    let clean = &ledgers.stalls.clean;
    writeln!(f, "clean.stalls {}", clean.sum(|c| c.stalls.get()))?;
    writeln!(f, "clean.ns {}", clean.sum(|c| c.ns.get()))?;
    for &cause in Cause::ALL {
        let part = cause.name();
        writeln!(f, "clean.part.{part}.ns {}", clean.sum(|c| c.part(cause)))?;
    }
    Ok(())
}

/// Formats the counts of one cgroup, or of several together.
fn counted(f: &mut fmt::Formatter<'_>, row: &str, id: u64, counts: &[u64; COUNTS]) -> fmt::Result {
    let counted = CgroupStalls::new(counts);
    writeln!(f, "{row}.{id}.stalls {}", counted.stalls)?;
    writeln!(f, "{row}.{id}.ns {}", counted.ns)?;
    for (part, &ns) in Cause::NAMES.iter().zip(counted.parts) {
        if ns != 0 {
            writeln!(f, "{row}.{id}.part.{part}.ns {ns}")?;
        }
    }
    hist(
        f,
        &|f: &mut fmt::Formatter<'_>| write!(f, "{row}.{id}."),
        &|b| counted.hist.get(b).copied().unwrap_or(0),
    )
}

/// Formats the file `stalls_cgroups`.
pub(super) fn cgroups(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let totals = ledgers.stalls.cgroups.totals().map_err(|_| fmt::Error)?;
    let mut paths = Paths::new()?;

    for total in totals.cgroups() {
        let id = total.key.id();
        // As in the file `cgroups`, an id of v1 may be one of v2, too.
        let row = match total.key.is_v1() {
            true => "cgroup_v1",
            false => "cgroup",
        };
        let path = super::path(&ledgers.known, total.key, total.removed, &mut paths);
        writeln!(f, "{row}.{id}.path {path}")?;
        if total.removed {
            writeln!(f, "{row}.{id}.removed 1")?;
        }
        if total.missed != 0 {
            writeln!(f, "{row}.{id}.missed.ns {}", total.missed)?;
        }
        counted(f, row, id, &total.counts)?;
    }
    for (row, counts) in [("removed", &totals.removed), ("other", &totals.other)] {
        let id = 0;
        writeln!(f, "{row}.{id}.path -")?;
        counted(f, row, id, counts)?;
    }
    Ok(())
}

/// Formats the file `stalls_longest`: one stall in each row, the longest one first.
pub(super) fn longest(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let all = ledgers.stalls.longest().map_err(|_| fmt::Error)?;
    for (n, kept) in all.iter().enumerate() {
        let s = &kept.stall;
        let origin = u8::try_from(s.origin).ok().and_then(Origin::from_u8);
        write!(
            f,
            "stall.{n} ns={} began={} origin={} order={} gfp={:#x} nid={} pid={} cgroup={} scanned={} freed={} inactive_file={} inactive_anon={} dirty={}",
            s.ns,
            s.began,
            origin.map_or("?", |o| o.name()),
            s.order,
            s.gfp,
            s.setting.nid,
            kept.pid,
            s.setting.cgroup_key().id(),
            s.scanned,
            s.freed,
            s.setting.inactive_file,
            s.setting.inactive_anon,
            s.setting.dirty,
        )?;
        for (part, &ns) in Cause::NAMES.iter().zip(&s.parts) {
            if ns != 0 {
                write!(f, " {part}={ns}")?;
            }
        }
        for (phase, &ns) in Phase::NAMES.iter().zip(&kept.for_requests) {
            if ns != 0 {
                write!(f, " nbd.{phase}={ns}")?;
            }
        }
        // This is last, because the name of a task may contain blanks.
        writeln!(f, " comm={}", system::text(&kept.comm))?;
    }
    Ok(())
}

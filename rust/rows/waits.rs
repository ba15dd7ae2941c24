// SPDX-License-Identifier: GPL-2.0

//! `waits`, `waits_cgroups`: waits of tasks for which memory is to blame.

use super::Paths;
use crate::{
    kernel_ext::{
        cell::Cell64,
        system, //
    },
    ledgers::{
        waits::{
            limited,
            CgroupWaits,
            KindWaits,
            COUNTS, //
        },
        Ledgers, //
    },
    policy::{
        cgroup_key::CgroupKey,
        log2,
        wait::IO_KINDS, //
    },
    words::{
        Event,
        Function,
        Group,
        Limit,
        WaitKind, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

/// Returns the kinds that are waits for a device, or because of a limit.
fn io_kinds() -> impl Iterator<Item = WaitKind> {
    WaitKind::ALL.iter().copied().take(IO_KINDS)
}

/// Formats the file `waits`.
pub(super) fn waits(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    states(ledgers, f)?;
    let counts = &ledgers.waits.counts;
    for &kind in WaitKind::ALL {
        let name = kind.name();
        let sum = |get: fn(&KindWaits) -> &Cell64| {
            counts.sum(|c| c.kind(kind).map_or(0, |k| get(k).get()))
        };
        writeln!(f, "{name}.waits {}", sum(|k| &k.waits))?;
        writeln!(f, "{name}.ns {}", sum(|k| &k.ns))?;
        writeln!(f, "{name}.psi.ns {}", sum(|k| &k.psi_ns))?;
        let longest = counts.max(|c| c.kind(kind).map_or(0, |k| k.longest_ns.get()));
        writeln!(f, "{name}.longest.ns {longest}")?;
        for bucket in 0..log2::BUCKETS {
            let n = counts.sum(|c| c.kind(kind).map_or(0, |k| k.hist.get(bucket)));
            if n != 0 {
                writeln!(f, "{name}.hist.us.{} {n}", log2::lower_bound(bucket))?;
            }
        }
    }
    for kind in io_kinds() {
        let name = kind.name();
        for &limit in Limit::ALL {
            let of = limit.name();
            let ns = counts.sum(|c| c.kind(kind).map_or(0, |k| k.limit(limit)));
            writeln!(f, "{name}.limit.{of}.ns {ns}")?;
        }
    }
    for (file, name) in [(false, "anon"), (true, "file")] {
        for &limit in Limit::ALL {
            let of = limit.name();
            let n = counts.sum(|c| c.refaults(file, limit));
            writeln!(f, "refaults.{name}.{of}.pages {n}")?;
        }
    }
    devices(ledgers, f)?;
    for kind in io_kinds() {
        let name = kind.name();
        let tasks = ledgers.waits.tasks(kind).map_err(|_| fmt::Error)?;
        for (n, task) in tasks.iter().enumerate() {
            writeln!(f, "{name}.task.{n}.name {}", system::text(&task.comm))?;
            writeln!(f, "{name}.task.{n}.waits {}", task.times)?;
            writeln!(f, "{name}.task.{n}.ns {}", task.amount)?;
        }
    }
    writeln!(f, "open {}", ledgers.waits.open.len())
}

fn states(ledgers: &Ledgers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let probed = |function| ledgers.states.function(function);
    let state = |needs: &[_]| super::group(Group::Waits, needs);
    // Where it is not inlined, it is probed instead of its callers.
    let common = probed(Function::WaitBitCommon);
    let folios = match common {
        state if state.works() => [common; 5],
        _ => [
            probed(Function::WaitBit),
            probed(Function::WaitBitKillable),
            probed(Function::FolioLock),
            probed(Function::FolioLockKillable),
            probed(Function::LockOrRetry),
        ],
    };
    let reads = match state(&folios) {
        "on" => state(&[probed(Function::SwapRead)]),
        state => state,
    };
    writeln!(f, "state {reads}")?;
    let psi = [probed(Function::PsiLeave), probed(Function::PsiEnter)];
    writeln!(f, "psi {}", state(&psi))?;
    writeln!(
        f,
        "dirty {}",
        state(&[ledgers.states.state(Event::DirtyPause)])
    )?;
    writeln!(f, "refaults {}", state(&[probed(Function::Refault)]))
}

fn devices(ledgers: &Ledgers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for device in ledgers.waits.devices().map_err(|_| fmt::Error)? {
        // A dev_t has 12 bits for the major and 20 bits for the minor number.
        let (major, minor) = (device >> 20, device & 0xf_ffff);
        for kind in io_kinds() {
            let name = kind.name();
            let (waits, ns) = ledgers.waits.device_waits(device, kind);
            if waits != 0 {
                writeln!(f, "device.{major}:{minor}.{name}.waits {waits}")?;
                writeln!(f, "device.{major}:{minor}.{name}.ns {ns}")?;
            }
        }
    }
    writeln!(f, "device.other.ns {}", ledgers.waits.other_devices())
}

/// Formats the file `waits_cgroups`.
pub(super) fn cgroups(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let totals = ledgers.waits.cgroups.totals().map_err(|_| fmt::Error)?;
    let mut paths = Paths::new()?;

    for total in totals.cgroups() {
        let id = total.key.id();
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
        let limited = CgroupKey::new(limited(total), false);
        if limited != CgroupKey::NONE {
            // If it has been removed since, its path may have been kept.
            let gone = super::path(&ledgers.known, limited, false, &mut paths) == "-";
            let path = super::path(&ledgers.known, limited, gone, &mut paths);
            writeln!(f, "{row}.{id}.limit.path {path}")?;
        }
    }
    for (row, counts) in [("removed", &totals.removed), ("other", &totals.other)] {
        writeln!(f, "{row}.0.path -")?;
        counted(f, row, 0, counts)?;
    }
    Ok(())
}

/// Formats what was counted of one cgroup, or of several together.
fn counted(f: &mut fmt::Formatter<'_>, row: &str, id: u64, counts: &[u64; COUNTS]) -> fmt::Result {
    let counted = CgroupWaits(counts);
    for &kind in WaitKind::ALL {
        let (waits, ns) = counted.kind(kind);
        if waits != 0 {
            writeln!(f, "{row}.{id}.{}.waits {waits}", kind.name())?;
            writeln!(f, "{row}.{id}.{}.ns {ns}", kind.name())?;
        }
    }
    writeln!(f, "{row}.{id}.psi.ns {}", counted.psi_ns())?;
    for kind in io_kinds() {
        for &limit in Limit::ALL {
            let ns = counted.limit(kind, limit);
            if ns != 0 {
                let of = limit.name();
                writeln!(f, "{row}.{id}.{}.limit.{of}.ns {ns}", kind.name())?;
            }
        }
    }
    let pages = [("anon", false), ("file", true)];
    for (sort, n) in pages.map(|(sort, file)| (sort, counted.refaults(file))) {
        writeln!(f, "{row}.{id}.refaults.{sort}.pages {n}")?;
    }
    Ok(())
}

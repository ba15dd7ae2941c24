// SPDX-License-Identifier: GPL-2.0
//! What is attached, on, lost and spent.

use super::{Family, Samples, Value};
use crate::{
    ledger::{Availability, HelperState, Ledgers, NAMES, Read, Status},
    names::Layer,
    system::System,
};

/// Adds the samples of `status`, and those that say which ledgers there are.
pub fn add(samples: &mut Samples, ledgers: &Ledgers, system: &System) {
    let status = &ledgers.status;
    samples.number(Family::Info, &[&status.version, env!("CARGO_PKG_VERSION")], 1);
    samples.add(Family::SnapshotTime, &[], Value::Float(system.unix_time));
    samples.number(Family::PageSize, &[], system.page_size);
    samples.add(Family::Enabled, &[], Value::flag(status.enabled));
    for (group, on) in &status.groups {
        samples.add(Family::GroupEnabled, &[group], Value::flag(*on));
    }
    for probe in status.probes.iter().filter(|probe| probe.attached() || probe.missing()) {
        samples.add(Family::ProbeAttached, &[&probe.name, probe.via], Value::flag(probe.attached()));
    }
    for name in NAMES {
        samples.add(Family::LedgerAvailable, &[name], Value::flag(read(ledgers, name)));
    }
    for (part, state) in &status.parts {
        samples.add(Family::PartAvailable, &[part], Value::flag(*state == Availability::Available));
    }
    halves(samples, ledgers);
    counts(samples, status);
}

fn halves(samples: &mut Samples, ledgers: &Ledgers) {
    let around = ledgers.helper.as_ref().ok().map(|helper| helper.state);
    let handoff = ledgers.handoff.as_ref().ok().map(|handoff| handoff.state);
    for (half, state) in [("write_around", around), ("handoff", handoff)] {
        if let Some(state) = state.filter(|state| *state != HelperState::Unavailable) {
            samples.add(Family::HelperEnabled, &[half], Value::flag(state == HelperState::On));
        }
    }
}

fn counts(samples: &mut Samples, status: &Status) {
    for (event, n) in &status.events {
        samples.number(Family::Events, &[event], *n);
    }
    for (table, n) in &status.lost {
        samples.number(Family::Lost, &[table], *n);
    }
    for (context, layers) in [("irq", &status.irq), ("softirq", &status.softirq), ("outside", &status.outside)] {
        for (layer, n) in layers {
            samples.number(Family::Uncharged, &[Layer::key(*layer), context], *n);
        }
    }
    samples.number(Family::WindowsOpen, &[], status.windows_open);
    samples.number(Family::WindowSlots, &[], status.slots);
    for (family, n) in [(Family::StallsOpen, status.stalls_open), (Family::HeadroomLow, status.low)] {
        if let Some(n) = n {
            samples.number(family, &[], n);
        }
    }
    samples.number(Family::CostEvents, &[], status.cost.events);
    samples.number(Family::CostCycles, &[], status.cost.cycles_estimate);
    samples.number(Family::CostMemory, &[], status.cost.memory_bytes);
}

/// Whether a ledger could be read.
fn read(ledgers: &Ledgers, name: &str) -> bool {
    fn there<T>(ledger: &Read<T>) -> bool {
        ledger.is_ok()
    }
    match name {
        "writes" => there(&ledgers.writes),
        "headroom" => there(&ledgers.headroom),
        "stacks" => there(&ledgers.stacks),
        "cgroups" => there(&ledgers.cgroups),
        "helper" => there(&ledgers.helper),
        "handoff" => there(&ledgers.handoff),
        "stalls" => there(&ledgers.stalls),
        "stalls_cgroups" => there(&ledgers.stall_cgroups),
        "stalls_longest" => there(&ledgers.longest),
        "stalls_locks" => there(&ledgers.locks),
        "shrinkers" => there(&ledgers.shrinkers),
        "compaction" => there(&ledgers.compaction),
        "tlb" => there(&ledgers.tlb),
        "metadata" => there(&ledgers.metadata),
        "reserves" => there(&ledgers.reserves),
        "nbd" => there(&ledgers.nbd),
        "batches" => there(&ledgers.batches),
        "kswapd" => there(&ledgers.kswapd),
        "waits" => there(&ledgers.waits),
        "waits_cgroups" => there(&ledgers.wait_cgroups),
        // There is no snapshot without `status`.
        name => name == "status",
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Puts the report together from one or two snapshots.

use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use super::{
    FORMAT, KswapdSection, Machine, Module, Report, Section, Taken, VERSION, books, compaction, handoff, headroom,
    kswapd, losses, nbd, reserves, shrinkers, side, stacks, stalls, waits, write_around, writes,
};
use crate::{
    error::{Error, Result},
    ledger::{Headroom, HeadroomCell, Ledgers, Locks, Reserves, Stacks, Status, Waits},
    names::{Layer, Origin},
    snapshot::Snapshot,
    summary,
    system::System,
};

/// Builds the report on `now`. If `before` is given, it counts from there.
pub fn build(now: &Snapshot, before: Option<&Snapshot>, source: &'static str) -> Result<Report> {
    let mut ledgers = now.ledgers()?;
    if let Some(before) = before {
        check_order(&now.system, &before.system)?;
        ledgers = ledgers.since(&before.ledgers()?)?;
    }
    let unavailable = unavailable(&ledgers.status);
    let why = |layer: &Layer| Some((*layer, unavailable.get(&format!("headroom.{}", layer.key()))?.clone()));
    let layers: BTreeMap<Layer, String> = Layer::ALL.iter().filter_map(why).collect();
    let windows_known = !unavailable.contains_key("windows");

    let bios: Option<BTreeMap<Origin, u64>> =
        ledgers.headroom.as_ref().ok().filter(|_| !layers.contains_key(&Layer::Bio)).map(|headroom| {
            let samples = |layers: &BTreeMap<Layer, HeadroomCell>| layers.get(&Layer::Bio).map_or(0, |cell| cell.count);
            headroom.cells.iter().map(|(origin, layers)| (*origin, samples(layers))).collect()
        });
    let known = writes::Known {
        page_size: now.system.page_size,
        windows: windows_known,
        bios: bios.as_ref(),
        handoff: ledgers.handoff.as_ref().ok(),
    };
    let writes = match (&ledgers.writes, unavailable.get("writes")) {
        (_, Some(why)) | (Err(why), None) => Section::unavailable(why),
        (Ok(ledger), None) => Section::Available(writes::section(ledger, &known)),
    };
    let headroom = match &ledgers.headroom {
        Err(why) => Section::unavailable(why),
        Ok(ledger) if !any_sampled(ledger, &layers) => Section::unavailable("no layer could be sampled"),
        Ok(ledger) => Section::Available(headroom::section(ledger, &layers)),
    };
    let lost_pages = writes
        .get()
        .and_then(|section| section.origins.iter().find(|row| row.origin == Origin::Lost))
        .map(|row| row.pages);
    let split_known = !unavailable.contains_key("zswap_split") && !unavailable.contains_key("io_split");
    let handoff = match &ledgers.handoff {
        Ok(ledger) => handoff::section(ledger, writes.get()),
        Err(why) => Section::unavailable(why),
    };
    let mut report = Report {
        format: FORMAT,
        version: VERSION,
        tool: concat!("reclaimwb ", env!("CARGO_PKG_VERSION")),
        taken: taken(&now.system, before.map(|b| &b.system), source),
        machine: machine(&now.system),
        books: before
            .zip(writes.get())
            .map(|(before, writes)| books::section(writes, &now.system, &before.system, split_known)),
        writes,
        write_around: part(&ledgers.helper, write_around::section),
        handoff,
        stalls: match (&ledgers.stalls, &ledgers.stall_cgroups, &ledgers.longest) {
            (Ok(ledger), Ok(cgroups), Ok(longest)) => {
                stalls::section(ledger, cgroups, longest, ledgers.locks.as_ref().ok(), before.is_some())
            }
            (Err(why), ..) | (_, Err(why), _) | (.., Err(why)) => Section::unavailable(why),
        },
        waits: waits_section(&ledgers),
        shrinkers: part(&ledgers.shrinkers, shrinkers::section),
        compaction: part(&ledgers.compaction, compaction::section),
        tlb: part(&ledgers.tlb, side::tlb),
        metadata: part(&ledgers.metadata, side::metadata),
        reserves: part(&ledgers.reserves, reserves::section),
        nbd: part(&ledgers.nbd, nbd::section),
        batches: part(&ledgers.batches, nbd::batches),
        kswapd: kswapd(&ledgers, before.map(|b| now.system.uptime - b.system.uptime)),
        headroom,
        stacks: section(&ledgers.stacks, stacks::section),
        cgroups: section(&ledgers.cgroups, writes::cgroups),
        not_recorded: losses::section(&ledgers.status, lost_pages, &ledgers.unknown_rows),
        notes: notes(&ledgers, before.is_some(), &unavailable),
        module: module(&ledgers.status, &now.system, unavailable),
        summary: Vec::new(),
        narrowed: None,
    };
    let pressure = before.and_then(|before| summary::pressure(&now.system, &before.system));
    report.summary = summary::sentences(&report, pressure);
    Ok(report)
}

fn kswapd(ledgers: &Ledgers, seconds: Option<f64>) -> Section<KswapdSection> {
    match &ledgers.kswapd {
        Ok(ledger) => kswapd::section(ledger, seconds),
        Err(why) => Section::unavailable(why),
    }
}

fn waits_section(ledgers: &Ledgers) -> Section<waits::WaitsSection> {
    match (&ledgers.waits, &ledgers.wait_cgroups) {
        (Ok(ledger), Ok(cgroups)) => waits::section(ledger, cgroups),
        (Err(why), _) | (_, Err(why)) => Section::unavailable(why),
    }
}

/// Makes a section from its ledger. The section itself says if the ledger is not enough.
fn part<T, S>(ledger: &std::result::Result<T, String>, make: impl Fn(&T) -> Section<S>) -> Section<S> {
    match ledger {
        Ok(ledger) => make(ledger),
        Err(why) => Section::unavailable(why),
    }
}

fn section<T, S>(ledger: &std::result::Result<T, String>, make: impl Fn(&T) -> S) -> Section<S> {
    match ledger {
        Ok(ledger) => Section::Available(make(ledger)),
        Err(why) => Section::unavailable(why),
    }
}

/// Whether any layer could be sampled. The helper itself samples the handoff layer, so this needs no probe.
fn any_sampled(ledger: &Headroom, unavailable: &BTreeMap<Layer, String>) -> bool {
    let handed = ledger.cells.values().filter_map(|layers| layers.get(&Layer::Handoff)).any(|cell| cell.count > 0);
    Layer::ALL.iter().any(|layer| !unavailable.contains_key(layer) && (handed || *layer != Layer::Handoff))
}

/// The parts of the ledgers that cannot be trusted, and why.
fn unavailable(status: &Status) -> BTreeMap<String, String> {
    status.parts.keys().filter_map(|part| Some((part.clone(), status.unavailable(part)?))).collect()
}

fn check_order(now: &System, before: &System) -> Result<()> {
    if now.boot_id != before.boot_id {
        return Err(Error::Since("the two snapshots are from different boots".into()));
    }
    if before.uptime > now.uptime {
        return Err(Error::Since("the earlier snapshot is the later one".into()));
    }
    Ok(())
}

fn utc(unix_time: f64) -> String {
    let since_epoch = Duration::try_from_secs_f64(unix_time).unwrap_or(Duration::ZERO);
    // A time that does not fit into a calendar comes from a broken file. Show it as a number.
    UNIX_EPOCH
        .checked_add(since_epoch)
        .filter(|_| unix_time < 253_402_300_800.0)
        .map_or_else(|| format!("@{unix_time}"), |time| humantime::format_rfc3339_seconds(time).to_string())
}

fn taken(now: &System, before: Option<&System>, source: &'static str) -> Taken {
    Taken {
        source,
        at: utc(now.unix_time),
        since: before.map(|before| utc(before.unix_time)),
        seconds: before.map(|before| ((now.uptime - before.uptime) * 100.0).round() / 100.0),
    }
}

fn machine(system: &System) -> Machine {
    Machine {
        kernel: system.kernel_release.clone(),
        machine: system.machine.clone(),
        cmdline: system.cmdline.clone(),
        cpus: system.cpus,
        memory_bytes: system.memory_bytes(),
        page_size: system.page_size,
        swaps: system.swaps.clone(),
        settings: system.settings.clone(),
        psi: system.psi(),
        queues: system.queues.clone(),
    }
}

fn module(status: &Status, system: &System, unavailable: BTreeMap<String, String>) -> Module {
    Module {
        version: status.version.clone(),
        enabled: status.enabled,
        params: system.params.clone(),
        helper: status.helper.clone(),
        handoff: status.handoff.clone(),
        probes: status.probes.clone(),
        groups: status.groups.clone(),
        unavailable,
        events: status.events.clone(),
        cost: status.cost.clone(),
    }
}

fn notes(ledgers: &Ledgers, since: bool, unavailable: &BTreeMap<String, String>) -> Vec<String> {
    let mut notes = Vec::new();
    if !ledgers.status.enabled {
        notes.push("Recording is switched off (parameter enabled=N): the numbers stand still.".into());
    }
    if let Some(why) = unavailable.get("windows") {
        notes.push(format!("Origins cannot be told ({why}): writes are charged to `other` or `lost`."));
    }
    if let Some(why) = unavailable.get("io_split") {
        notes.push(format!("Real I/O cannot be told from synchronous and dropped writes ({why}): see `unknown`."));
    }
    if let Some(why) = unavailable.get("zswap_split") {
        notes.push(format!("zswap cannot be told from the other writes that needed no I/O ({why}): see `unknown`."));
    }
    if let Ok(writes) = &ledgers.writes {
        let sum = crate::ledger::total(writes.origins.values().map(crate::ledger::OriginWrites::pages));
        if sum != writes.total_pages {
            notes.push(format!(
                "The origins add up to {sum} pages, the module's total says {}: reclaim was writing while the \
                 ledgers were read.",
                writes.total_pages
            ));
        }
    }
    if since && has_old(ledgers) {
        notes.push(
            "Minima, maxima and worst stacks cannot be subtracted. Those marked * were reached before the \
             interval began (and may have been reached again in it)."
                .into(),
        );
    }
    if !ledgers.unknown_rows.is_empty() {
        notes.push(format!(
            "{} ledger rows are unknown to this tool and left out (the module is newer): {} ...",
            ledgers.unknown_rows.len(),
            ledgers.unknown_rows[..ledgers.unknown_rows.len().min(3)].join(", ")
        ));
    }
    notes
}

fn has_old(ledgers: &Ledgers) -> bool {
    let old_stack = |stacks: &Stacks| stacks.worst.values().any(|stack| !stack.is_new);
    let old_cell = |headroom: &Headroom| {
        let mut cells = headroom.cells.values().flat_map(BTreeMap::values).filter(|cell| cell.count > 0);
        cells.any(|cell| !cell.min_is_new || !cell.max_is_new)
    };
    let old_reserve = |reserves: &Reserves| {
        let mut zones = reserves.zones.values().filter_map(|zone| zone.lowest);
        let waited = reserves.waits.values().any(|waits| waits.waits > 0);
        zones.any(|lowest| !lowest.is_new) || waited && reserves.longest().is_some_and(|node| !node.longest_is_new)
    };
    let old_wait = |waits: &Waits| waits.kinds.values().any(|kind| kind.all.waits > 0 && !kind.longest_is_new);
    let old_lock = |locks: &Locks| locks.rows.iter().any(|row| !row.longest_is_new);
    ledgers.stacks.as_ref().is_ok_and(old_stack)
        || ledgers.headroom.as_ref().is_ok_and(old_cell)
        || ledgers.reserves.as_ref().is_ok_and(old_reserve)
        || ledgers.waits.as_ref().is_ok_and(old_wait)
        || ledgers.locks.as_ref().is_ok_and(old_lock)
}

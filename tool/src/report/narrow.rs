// SPDX-License-Identifier: GPL-2.0
//! The report for a cgroup, a task or a part of the time. From a recording, what the events tell is added up. Otherwise
//! there is only what the ledgers count by cgroup or by task. Every other section is left out, and says why.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CauseRow, CgroupsSection, Report, Section, ShrinkersSection, StacksSection, StallCgroupRow, StallsSection,
    WaitCgroupRow, WaitKindRow, WaitsSection, build,
    figures::{Times, mean},
    shrinkers, stalls, writes,
};
use crate::{
    advice,
    error::Result,
    ledger::{Cgroups, Hierarchy, Ledgers, Longest, StallCgroups, Stalls, WaitCount, Writes, total},
    names::{Cause, Kind, Limit, Origin, Type, WaitKind},
    narrow::{Absent, Counted, Filter, Group, Narrow, Task, has_event},
    recording::Recording,
    snapshot::Snapshot,
    summary::{self, Line},
};

/// Sections that can be left out, by their names in JSON, with their headings in text.
pub const SECTIONS: [(&str, &str); 17] = [
    ("writes", "WHO WROTE"),
    ("write_around", "WRITE-AROUND"),
    ("handoff", "HANDOFF"),
    ("stalls", "STALLS"),
    ("kswapd", "KSWAPD"),
    ("waits", "WAITS"),
    ("shrinkers", "SHRINKERS"),
    ("compaction", "COMPACTION"),
    ("tlb", "TLB FLUSHES"),
    ("metadata", "FILESYSTEM METADATA"),
    ("reserves", "RESERVES"),
    ("nbd", "NBD REQUESTS"),
    ("batches", "SWAP BATCHES"),
    ("headroom", "STACK HEADROOM"),
    ("stacks", "WORST STACKS"),
    ("cgroups", "WHOSE PAGES"),
    ("books", "the books"),
];

/// The events of a recording that are asked for, and which kinds of events it has.
struct Events<'a> {
    counted: &'a Counted,
    stalls: bool,
    writes: bool,
    windows: bool,
}

/// A narrowed report, and its summary.
#[derive(Debug)]
pub struct Part {
    /// The report.
    pub report: Report,
    /// The lines of its summary.
    pub lines: Vec<Line>,
    /// Whether a cgroup was asked for that no ledger has.
    pub is_absent: bool,
}

/// Builds the report on what `narrow` asks for, from ledgers. If `before` is given, it counts from there.
pub fn of_ledgers(
    now: &Snapshot,
    before: Option<&Snapshot>,
    source: &'static str,
    narrow: &Narrow,
    absent: Absent,
) -> Result<Part> {
    let mut ledgers = now.ledgers()?;
    let filter = Filter::of_ledgers(narrow, &[&ledgers], absent)?;
    let whole = build(now, before, source)?;
    if let Some(before) = before {
        ledgers = ledgers.since(&before.ledgers()?)?;
    }
    let mut part = narrowed(whole, &ledgers, &filter, None);
    part.is_absent = filter.is_absent();
    Ok(part)
}

/// Builds the report from a recording and its events that were asked for, which were counted before.
pub fn of_recording(recording: &Recording, filter: &Filter, counted: &Counted) -> Result<Part> {
    let whole = build(&recording.after, Some(&recording.before), "recording")?;
    let ledgers = recording.after.ledgers()?.since(&recording.before.ledgers()?)?;
    let has = |name| has_event(recording, name);
    let events = Events { counted, stalls: has("stall"), writes: has("reclaim_write"), windows: has("reclaim_window") };
    let mut part = narrowed(whole, &ledgers, filter, Some(&events));
    part.is_absent = filter.is_absent();
    if recording.end.lost > 0 {
        part.report.notes.push(format!(
            "{} events were lost while recording: what is added up from events lacks them.",
            crate::format::count(recording.end.lost)
        ));
    }
    Ok(part)
}

fn narrowed(mut report: Report, ledgers: &Ledgers, filter: &Filter, events: Option<&Events>) -> Part {
    let by = Asked::new(filter);
    let handed = report.handoff.get().is_some_and(|handoff| handoff.handed_requests > 0);
    report.stalls = of_stalls(&report, ledgers, filter, events);
    // The advice depends on what the whole machine has, so it comes before the sections are removed.
    let advice = advice::sentence(&report).map(|(text, _)| text);
    report.waits = of_waits(ledgers, filter);
    report.shrinkers = of_shrinkers(ledgers, filter);
    report.stacks = of_stacks(&report, filter);
    report.cgroups = of_cgroups(ledgers, filter, events);
    report.writes = of_writes(&report, filter, events);
    if handed && report.writes.get().is_some() {
        report.notes.push(
            "No event tells what was handed over to be submitted: it counts as written by the one who handed it over."
                .into(),
        );
    }
    report.write_around = by.left_out();
    report.handoff = by.left_out();
    report.kswapd = by.left_out();
    report.compaction = by.left_out();
    report.tlb = by.left_out();
    report.metadata = by.left_out();
    report.reserves = by.left_out();
    report.nbd = by.left_out();
    report.batches = by.left_out();
    report.headroom = by.left_out();
    let had_books = report.books.take().is_some();
    let out = |name: &str| match name {
        "writes" => report.writes.get().is_none(),
        "stalls" => report.stalls.get().is_none(),
        "waits" => report.waits.get().is_none(),
        "shrinkers" => report.shrinkers.get().is_none(),
        "stacks" => report.stacks.get().is_none(),
        "cgroups" => report.cgroups.get().is_none(),
        "books" => had_books,
        _ => true,
    };
    let left_out = SECTIONS.iter().map(|(name, _)| *name).filter(|name| out(name)).collect();
    report.narrowed = Some(filter.narrowed(left_out));
    let lines = summary::narrowed(&report, advice);
    report.summary = lines.iter().map(Line::with_section).collect();
    Part { report, lines, is_absent: false }
}

/// What is asked for. Sections that do not count by it cannot be given.
#[derive(Clone, Copy)]
struct Asked {
    cgroup: bool,
    task: bool,
    time: bool,
}

impl Asked {
    fn new(filter: &Filter) -> Self {
        let narrow = &filter.narrow;
        Self { cgroup: narrow.cgroup.is_some(), task: narrow.task.is_some(), time: narrow.between.is_some() }
    }

    /// The section, if it counts by none of these.
    fn left_out<T>(self) -> Section<T> {
        self.but_for(false, false).unwrap_or_else(|| Section::unavailable("it is not counted so"))
    }

    /// Why a section cannot be given that counts only by cgroup or by task, or by both; `None` if it can be given.
    fn but_for<T>(self, cgroup: bool, task: bool) -> Option<Section<T>> {
        let words = [
            (self.cgroup && !cgroup, "cgroup"),
            (self.task && !task, "task"),
            (self.time, "time"),
            // If something is counted by cgroup and by task separately, it is not known what belongs to both at once.
            (self.cgroup && cgroup && self.task && task, "cgroup and task at once"),
        ];
        let words: Vec<&str> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        (!words.is_empty()).then(|| Section::unavailable(format!("it is not counted by {}", words.join(", nor by "))))
    }
}

fn lacks<T>(event: &str) -> Section<T> {
    Section::unavailable(format!("the recording has no event {event}, which says it (reclaimwb record --events)"))
}

fn of_stalls(report: &Report, ledgers: &Ledgers, filter: &Filter, events: Option<&Events>) -> Section<StallsSection> {
    let (ledger, longest) = match (&ledgers.stalls, &ledgers.stall_cgroups, &ledgers.longest) {
        (Ok(ledger), Ok(_), Ok(longest)) => (ledger, longest),
        (Err(why), ..) | (_, Err(why), _) | (.., Err(why)) => return Section::unavailable(why),
    };
    if let Some(events) = events.filter(|events| events.stalls) {
        return stalls_of_events(ledger, ledgers, events.counted);
    }
    if let Some(out) = Asked::new(filter).but_for(true, false) {
        let event = Asked::new(filter);
        return if events.is_some() && (event.task || event.time) { lacks("stall") } else { out };
    }
    let Some(whole) = report.stalls.get() else {
        return Section::unavailable("stalls are not known");
    };
    let rows = whole.cgroups.iter().filter(|row| row.id != 0 && filter.has_group((row.hierarchy, row.id)));
    let rows: Vec<StallCgroupRow> = rows.cloned().collect();
    let mut causes: BTreeMap<Cause, u64> = BTreeMap::new();
    for (cause, ns) in rows.iter().flat_map(|row| &row.causes_ns) {
        let sum = causes.entry(*cause).or_default();
        *sum = sum.saturating_add(*ns);
    }
    let ns = total(rows.iter().map(|row| row.ns));
    let mut causes_rows: Vec<CauseRow> = causes
        .iter()
        .map(|(cause, part)| CauseRow {
            cause: *cause,
            ns: *part,
            share: *part as f64 / ns.max(1) as f64,
            stalls: None,
        })
        .collect();
    causes_rows.sort_by_key(|row| std::cmp::Reverse(row.ns));
    let kept = longest.0.iter().filter(|stall| filter.has_id(stall.cgroup));
    Section::Available(StallsSection {
        on: ledger.on,
        whole_slow_path: ledger.whole,
        not_told_apart: whole.not_told_apart.clone(),
        stalls: total(rows.iter().map(|row| row.stalls.count)),
        ns,
        unexplained_share: mean(causes.get(&Cause::Unexplained).copied().unwrap_or(0), ns),
        origins: Vec::new(),
        causes: causes_rows,
        clean: None,
        cgroups: rows,
        lost_rows: 0,
        longest: kept.cloned().collect(),
        locks: None,
    })
}

/// The cgroup that events name by this id, which is not 0.
fn group_of(id: u64, ledgers: &Ledgers) -> Group {
    ledgers.group(id).unwrap_or((Hierarchy::V2, id))
}

fn stalls_of_events(ledger: &Stalls, ledgers: &Ledgers, counted: &Counted) -> Section<StallsSection> {
    let mut of_groups = StallCgroups::default();
    for (id, stalls) in &counted.stalled {
        let mut stalls = stalls.clone();
        if *id == 0 {
            of_groups.other = stalls;
            continue;
        }
        let known = ledgers.group(*id).and_then(|group| ledgers.stall_cgroups.as_ref().ok()?.groups.get(&group));
        if let Some(known) = known {
            stalls.path.clone_from(&known.path);
            stalls.removed = known.removed;
        }
        of_groups.groups.insert(group_of(*id, ledgers), stalls);
    }
    let of_origins = Stalls { origins: counted.stalls.clone(), ..ledger.clone() };
    let mut section = stalls::section(&of_origins, &of_groups, &Longest(counted.longest.clone()), None, false);
    if let Section::Available(section) = &mut section {
        // The events do not say this.
        section.clean = None;
    }
    section
}

fn of_waits(ledgers: &Ledgers, filter: &Filter) -> Section<WaitsSection> {
    let (ledger, cgroups) = match (&ledgers.waits, &ledgers.wait_cgroups) {
        (Ok(ledger), Ok(cgroups)) => (ledger, cgroups),
        (Err(why), _) | (_, Err(why)) => return Section::unavailable(why),
    };
    if let Some(out) = Asked::new(filter).but_for(true, true) {
        return out;
    }
    let none = |kind: WaitKind, n: WaitCount| WaitKindRow {
        kind,
        waits_us: Times::new(n.waits, n.ns / 1000, &BTreeMap::new()),
        ns: n.ns,
        psi_ns: None,
        longest_ns: None,
        longest_is_new: None,
        limits: BTreeMap::new(),
        tasks: BTreeMap::new(),
    };
    let (mut rows, mut kinds): (Vec<WaitCgroupRow>, Vec<WaitKindRow>) = (Vec::new(), Vec::new());
    if let Some(task) = &filter.narrow.task {
        if let Task::Pid(_) = task {
            return Section::unavailable("it is counted by the names of tasks only: give --task NAME");
        }
        for (kind, of) in &ledger.kinds {
            let its = of.tasks.iter().filter(|(name, n)| task.is_named(name) && n.waits > 0);
            let its: BTreeMap<String, WaitCount> = its.map(|(name, n)| (name.clone(), *n)).collect();
            let sum = sum_of(its.values().copied());
            if sum.waits > 0 {
                kinds.push(WaitKindRow { tasks: its, ..none(*kind, sum) });
            }
        }
    } else {
        let of = cgroups.groups.iter().filter(|(group, _)| filter.has_group(**group));
        rows = of.map(|(group, waits)| super::waits::row(Some(*group), waits)).collect();
        rows.retain(|row| row.ns > 0 || row.waits.anon_pages > 0 || row.waits.file_pages > 0);
        rows.sort_by_key(|row| std::cmp::Reverse(row.ns));
        for &kind in WaitKind::ALL {
            let sum = sum_of(rows.iter().filter_map(|row| row.waits.kinds.get(&kind).copied()));
            let mut limits: BTreeMap<Limit, u64> = BTreeMap::new();
            for (limit, ns) in rows.iter().filter_map(|row| row.waits.limits.get(&kind)).flatten() {
                let of = limits.entry(*limit).or_default();
                *of = of.saturating_add(*ns);
            }
            if sum.waits > 0 {
                kinds.push(WaitKindRow { limits, ..none(kind, sum) });
            }
        }
    }
    kinds.sort_by_key(|row| std::cmp::Reverse(row.ns));
    let is_cgroup = filter.narrow.cgroup.is_some();
    Section::Available(WaitsSection {
        state: ledger.state,
        psi_state: ledger.psi_state,
        dirty_state: ledger.dirty_state,
        refaults_state: ledger.refaults_state,
        ns: total(kinds.iter().filter(|row| row.kind != WaitKind::Kernel).map(|row| row.ns)),
        psi_ns: is_cgroup.then(|| total(rows.iter().map(|row| row.waits.psi_ns))),
        unexplained_share: None,
        kinds,
        anon_refaults: BTreeMap::new(),
        file_refaults: BTreeMap::new(),
        cgroups: rows,
        lost_rows: 0,
        devices: BTreeMap::new(),
        other_devices_ns: None,
    })
}

fn sum_of(counts: impl Iterator<Item = WaitCount>) -> WaitCount {
    counts.fold(WaitCount::default(), |sum, n| WaitCount {
        waits: sum.waits.saturating_add(n.waits),
        ns: sum.ns.saturating_add(n.ns),
    })
}

fn of_shrinkers(ledgers: &Ledgers, filter: &Filter) -> Section<ShrinkersSection> {
    let ledger = match &ledgers.shrinkers {
        Ok(ledger) => ledger,
        Err(why) => return Section::unavailable(why),
    };
    if let Some(out) = Asked::new(filter).but_for(true, false) {
        return out;
    }
    let mut ledger = ledger.clone();
    ledger.rows.retain(|key, _| key.cgroup.1 != 0 && filter.has_group(key.cgroup));
    ledger.missed_ns.retain(|key, _| key.cgroup.1 != 0 && filter.has_group(key.cgroup));
    ledger.other = crate::ledger::ShrinkerCounts::default();
    ledger.removed = crate::ledger::ShrinkerCounts::default();
    ledger.lost_rows = 0;
    shrinkers::section(&ledger)
}

fn of_stacks(report: &Report, filter: &Filter) -> Section<StacksSection> {
    let section = match &report.stacks {
        Section::Available(section) => section,
        Section::Unavailable { unavailable } => return Section::unavailable(unavailable),
    };
    if let Some(out) = Asked::new(filter).but_for(false, true) {
        return out;
    }
    let its = section.worst.iter().filter(|row| filter.has_task(i64::try_from(row.pid).unwrap_or(-1), &row.comm));
    Section::Available(StacksSection { worst: its.cloned().collect() })
}

fn of_cgroups(ledgers: &Ledgers, filter: &Filter, events: Option<&Events>) -> Section<CgroupsSection> {
    let ledger = match &ledgers.cgroups {
        Ok(ledger) => ledger,
        Err(why) => return Section::unavailable(why),
    };
    let mut its = Cgroups::default();
    if let Some(events) = events.filter(|events| events.writes) {
        for (id, pages) in &events.counted.written {
            let mut pages = pages.clone();
            if let Some(known) = ledgers.group(*id).and_then(|group| ledger.groups.get(&group)) {
                pages.path.clone_from(&known.path);
                pages.removed = known.removed;
            }
            if *id == 0 {
                its.other = pages.pages;
            } else {
                its.groups.insert(group_of(*id, ledgers), pages);
            }
        }
        return Section::Available(writes::cgroups(&its));
    }
    if let Some(out) = Asked::new(filter).but_for(true, false) {
        return if events.is_some() { lacks("reclaim_write") } else { out };
    }
    let is_its = |group: &Group| group.1 != 0 && filter.has_group(*group);
    its.groups = ledger.groups.iter().filter(|(group, _)| is_its(group)).map(|(g, row)| (*g, row.clone())).collect();
    Section::Available(writes::cgroups(&its))
}

fn of_writes(report: &Report, filter: &Filter, events: Option<&Events>) -> Section<super::WritesSection> {
    let Some(events) = events else { return Asked::new(filter).left_out() };
    if !events.writes {
        return lacks("reclaim_write");
    }
    let mut origins = events.counted.writes.clone();
    let told: BTreeSet<Origin> =
        report.writes.get().into_iter().flat_map(|section| &section.origins).map(|row| row.origin).collect();
    for origin in told {
        origins.entry(origin).or_default();
    }
    // The ledger has all types and kinds, so add those that are missing.
    for of in origins.values_mut() {
        for &sort in Type::ALL {
            let kinds = of.cells.entry(sort).or_default();
            for &kind in Kind::ALL {
                kinds.entry(kind).or_default();
            }
        }
    }
    let ledger = Writes {
        total_folios: total(origins.values().map(crate::ledger::OriginWrites::folios)),
        total_pages: total(origins.values().map(crate::ledger::OriginWrites::pages)),
        origins,
        zswap_writeback: None,
        failed: BTreeMap::new(),
    };
    let known = writes::Known {
        page_size: report.machine.page_size,
        // The event of a window has no cgroup.
        windows: events.windows && filter.narrow.cgroup.is_none(),
        bios: None,
        handoff: None,
    };
    Section::Available(writes::section(&ledger, &known))
}

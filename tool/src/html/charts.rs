// SPDX-License-Identifier: GPL-2.0
//! The charts, which are made from the events of a recording, or else from the totals of the ledgers.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{
    Recorded,
    chart::{self, Bar, Columns, Figure, Mark, Palette, Unit, bars, columns, headroom, legend, series},
    events::{Change, Events},
    timeline::{Axis, Timeline},
};
use crate::{
    container,
    format::{count, span},
    frames::Part,
    longest,
    names::{Cause, Kind, Origin, Parameter},
    report::{CauseRow, Report, StallsSection, WritesSection},
};

/// A chart over time has about this many columns.
const COLUMNS: u64 = 80;

/// Draws all charts for which there is data.
pub fn render(report: &Report, recorded: Option<&Recorded>) -> Markup {
    let floor = report.module.params.get(Parameter::HeadroomFloor.name()).and_then(|floor| floor.parse().ok());
    let origins = origins(report, recorded);
    let over = recorded.map(Over::new);
    html! {
        section id="charts" {
            h2 { "Charts" }
            @if let Some(over) = &over { (over.list()) }
            (stalls(report, over.as_ref()))
            @if let Some(figure) = flame(report, recorded) { (figure) }
            (writes(report, over.as_ref(), &origins))
            @match report.headroom.get() {
                // It is known only for the whole machine, so it is left out.
                None if report.narrowed.is_some() => {}
                Some(section) => (headroom(section, floor, &origins).unwrap_or_else(|| nothing("Stack left", "No stack was sampled."))),
                None => (nothing("Stack left", "Headroom is not available: see its section.")),
            }
            @if let Some(figure) = stacks(report, floor) { (figure) }
        }
    }
}

/// Adds amounts to the sums.
fn add<K: Copy + Ord>(sums: &mut BTreeMap<K, u64>, amounts: impl IntoIterator<Item = (K, u64)>) {
    for (key, n) in amounts {
        let sum = sums.entry(key).or_default();
        *sum = sum.saturating_add(n);
    }
}

/// A recording, and the time axis that its charts share, with the marks on it.
struct Over<'a> {
    recorded: &'a Recorded,
    axis: Axis,
    marks: Vec<Mark>,
    /// Parameters that have another value at the end, without an event that says since when.
    somewhen: Vec<String>,
}

impl<'a> Over<'a> {
    fn new(recorded: &'a Recorded) -> Self {
        let (events, recording) = (&recorded.events, &recorded.recording);
        // This is never negative, and far below 2^64 nanoseconds.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let ns = (recording.end.seconds.max(0.0) * 1e9) as u64;
        let finest = events.stalls.width().max(events.writes.width()).max(events.windows.width());
        let axis = Axis::new(recording.head.clock.ns, ns, COLUMNS, finest);
        let (before, after) = (&recording.before.system.params, &recording.after.system.params);
        let somewhen = after.iter().filter_map(|(name, value)| {
            let was = before.get(name).filter(|was| *was != value)?;
            let seen = events.changes.iter().any(|change| change.name == *name);
            (!seen).then(|| format!("{name} from {was} to {value}"))
        });
        Self { recorded, axis, marks: marks(&events.changes, &axis), somewhen: somewhen.collect() }
    }

    /// Lists the marks, and the changes that cannot be marked.
    fn list(&self) -> Markup {
        html! {
            @if !self.marks.is_empty() {
                p.note { "Parameters that were set during the recording, as the charts over time mark them:" }
                ul.note { @for mark in &self.marks { li { (mark.says) } } }
            }
            @if !self.somewhen.is_empty() {
                p.note {
                    "Set during the recording, at a time that is not known: " (self.somewhen.join(", ")) "."
                }
            }
        }
    }
}

/// The marks for the changes. Changes within one column share a mark.
fn marks(changes: &[Change], axis: &Axis) -> Vec<Mark> {
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_by_key(|change| change.ns);
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    for change in sorted {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| change.ns - first.ns < axis.width) => group.push(change),
            _ => groups.push(vec![change]),
        }
    }
    let marks = groups.iter().enumerate().filter_map(|(i, group)| {
        let ns = group.first()?.ns;
        let words = group.iter().map(|one| format!("{} from {} to {}", one.name, one.before, one.after));
        let says = format!("{}: at {}, {}", i + 1, chart::moment(axis.since(ns)), words.collect::<Vec<_>>().join(", "));
        Some(Mark { at: axis.place(ns), name: (i + 1).to_string(), says })
    });
    marks.collect()
}

/// The origins, each with the same colour in all charts.
fn origins(report: &Report, recorded: Option<&Recorded>) -> Palette<Origin> {
    let mut sums = BTreeMap::new();
    if let Some(section) = report.writes.get() {
        add(&mut sums, section.origins.iter().map(|row| (row.origin, row.pages)));
    }
    if let Some(section) = report.headroom.get() {
        add(&mut sums, section.rows.iter().map(|row| (row.origin, row.samples)));
    }
    if let Some(recorded) = recorded {
        add(&mut sums, recorded.events.writes.totals());
        add(&mut sums, recorded.events.windows.totals());
    }
    Palette::new(&sums)
}

/// The same for causes.
fn causes(report: &Report, recorded: Option<&Recorded>) -> Palette<Cause> {
    let mut sums = BTreeMap::new();
    if let Some(section) = report.stalls.get() {
        add(&mut sums, by_cause(&section.causes));
    }
    if let Some(recorded) = recorded {
        add(&mut sums, recorded.events.stalls.totals());
    }
    Palette::new(&sums)
}

fn by_cause(rows: &[CauseRow]) -> BTreeMap<Cause, u64> {
    rows.iter().map(|row| (row.cause, row.ns)).collect()
}

/// What is shown instead of an empty chart.
fn nothing(title: &str, why: &str) -> Markup {
    html! { figure { figcaption { h3 { (title) } } p.note { (why) } } }
}

/// Why there are no events to draw.
fn no_events(recorded: Option<&Recorded>, name: &str) -> String {
    let why = match recorded {
        None => "only the events of a recording show how it went over time (reclaimwb record)".to_owned(),
        Some(recorded) if asked(recorded, name, 0) => format!("the recording has no such event ({name})"),
        Some(_) => format!("the event {name} was not recorded (--events)"),
    };
    format!("These are totals of the whole time: {why}.")
}

/// Whether there are events of this name, or would be if anything had happened.
fn asked(recorded: &Recorded, name: &str, found: u64) -> bool {
    found > 0 || recorded.recording.head.events.iter().any(|event| event == name)
}

fn stalls(report: &Report, over: Option<&Over>) -> Markup {
    let ledger = report.stalls.get().filter(|section| section.stalls > 0);
    let recorded = over.map(|over| over.recorded);
    let causes = causes(report, recorded);
    match (over.filter(|over| asked(over.recorded, "stall", over.recorded.events.stall_events)), ledger) {
        (Some(over), ledger) if over.recorded.events.stall_events > 0 => html! {
            (stalls_over_time(over, &causes))
            @if let Some(section) = ledger { (stalls_by_origin(section, None, &causes)) }
        },
        (Some(_), None) => nothing("Stalls over time", "No task stalled while it was recorded."),
        (_, Some(section)) => stalls_by_origin(section, Some(no_events(recorded, "stall")), &causes),
        (None, None) => nothing("Stalls", "No task stalled, or stalls were not timed."),
    }
}

fn stalls_over_time(over: &Over, causes: &Palette<Cause>) -> Markup {
    let recorded = over.recorded;
    let events = &recorded.events;
    let bins = events.stalls.bins(&over.axis);
    let totals = events.stalls.totals();
    let series = series(&totals, causes, Cause::label);
    let all = totals.values().fold(0_u64, |sum, ns| sum.saturating_add(*ns));
    let label = format!(
        "Time that tasks stalled, by cause, over time: {} stalls, {} in all; {}",
        count(events.stall_events),
        span(all / 1000),
        most(&totals, Cause::label),
    );
    let (drawing, figures) =
        columns(&Columns { label, bins: &bins, series: &series, unit: Unit::Time, marks: &over.marks });
    let notes = vec![format!(
        "Each column is the time that all tasks together stalled within {}, from the {} stalls of the recording. A \
             stall's causes are spread evenly over it: it is not known when each took its time.",
        chart_time(bins.width),
        count(events.stall_events)
    )];
    Figure {
        id: "chart-stalls",
        title: "Stalls over time, by cause",
        notes: with_lost(notes, recorded),
        legend: legend(&series, Unit::Time),
        drawing,
        figures,
    }
    .render()
}

/// Adds a note if events were lost, because they are missing in the chart.
fn with_lost(mut notes: Vec<String>, recorded: &Recorded) -> Vec<String> {
    if recorded.recording.end.lost > 0 {
        notes.push(format!("{} events were lost: some of it is missing here.", count(recorded.recording.end.lost)));
    }
    notes
}

fn stalls_by_origin(section: &StallsSection, why: Option<String>, causes: &Palette<Cause>) -> Markup {
    let totals = by_cause(&section.causes);
    let series = series(&totals, causes, Cause::label);
    let mut rows = vec![Bar { name: "all".into(), parts: totals.clone() }];
    if section.origins.len() > 1 {
        rows.extend(
            section.origins.iter().map(|row| Bar { name: row.origin.label().into(), parts: by_cause(&row.causes) }),
        );
    } else if let Some(row) = section.origins.first() {
        rows[0].name = row.origin.label().into();
    }
    let label = format!(
        "Time that tasks stalled, by origin and cause: {} in all; {}",
        span(section.ns / 1000),
        most(&totals, Cause::label)
    );
    let (drawing, figures) = bars(&label, &rows, &series, Unit::Time, section.ns, None);
    Figure {
        id: "chart-stall-origins",
        title: "Stalls by origin and cause",
        notes: why.into_iter().collect(),
        legend: legend(&series, Unit::Time),
        drawing,
        figures,
    }
    .render()
}

/// The time of stalls by cgroup and cause: from all events of a recording, then also by task and origin, or else from
/// the ledgers.
fn flame(report: &Report, recorded: Option<&Recorded>) -> Option<Markup> {
    let section = report.stalls.get()?;
    let events = recorded.filter(|recorded| recorded.events.stall_events > 0);
    let ledgers = events.and_then(|recorded| recorded.recording.after.ledgers().ok());
    let (stacks, what) = if let Some((recorded, ledgers)) = events.zip(ledgers) {
        (recorded.events.folds.stacks(&ledgers), "cgroup, task, what reclaim was for, and what it went to")
    } else {
        let rows = section.cgroups.iter();
        let stacks = rows.flat_map(|row| longest::stacks_of_group(&row.label(container::shown), &row.causes_ns));
        (stacks.collect(), "cgroup, and what it went to")
    };
    let label = format!("Time that tasks stalled, as a flame graph: by {what}");
    let (drawing, figures, narrow) = chart::flame(&label, &stacks, &causes(report, recorded))?;
    let mut notes = vec![format!("From the top down: all, {what}. What is wider took longer.")];
    if narrow > 0 {
        let (frames, are) = if narrow == 1 { ("frame", "is") } else { ("frames", "are") };
        notes.push(format!("{} {frames} of less than a quarter of a percent {are} not drawn.", count(narrow as u64)));
    }
    if let Some(recorded) = events {
        notes = with_lost(notes, recorded);
    }
    Some(
        Figure { id: "chart-flame", title: "Stalls as a flame graph", notes, legend: html! {}, drawing, figures }
            .render(),
    )
}

fn writes(report: &Report, over: Option<&Over>, origins: &Palette<Origin>) -> Markup {
    let recorded = over.map(|over| over.recorded);
    let over_time = over.and_then(|over| {
        let recorded = over.recorded;
        let Events { writes, write_events, windows, window_events, .. } = &recorded.events;
        if asked(recorded, "reclaim_write", *write_events) {
            Some(writes_over_time(over, writes, origins, "Each column is the pages that reclaim wrote"))
        } else if asked(recorded, "reclaim_window", *window_events) {
            let what = "Each column is the pages that reclaim wrote, spread evenly over the windows in which it did \
                        (the event reclaim_write was not recorded),";
            Some(writes_over_time(over, windows, origins, what))
        } else {
            None
        }
    });
    over_time.unwrap_or_else(|| match report.writes.get() {
        Some(section) if section.pages > 0 => writes_by_origin(section, no_events(recorded, "reclaim_window")),
        Some(_) => nothing("Writes", "Reclaim wrote nothing."),
        None => nothing("Writes", "Who wrote is not known: see its section."),
    })
}

fn writes_over_time(over: &Over, line: &Timeline<Origin>, origins: &Palette<Origin>, what: &str) -> Markup {
    let recorded = over.recorded;
    let totals = line.totals();
    if totals.is_empty() {
        return nothing("Writes over time", "Reclaim wrote nothing while it was recorded.");
    }
    let bins = line.bins(&over.axis);
    let series = series(&totals, origins, Origin::label);
    let all = totals.values().fold(0_u64, |sum, n| sum.saturating_add(*n));
    let label = format!("Pages written over time, by origin: {} in all; {}", count(all), most(&totals, Origin::label));
    let (drawing, figures) =
        columns(&Columns { label, bins: &bins, series: &series, unit: Unit::Pages, marks: &over.marks });
    let notes = vec![format!("{what} within {}.", chart_time(bins.width))];
    Figure {
        id: "chart-writes",
        title: "Writes over time, by origin",
        notes: with_lost(notes, recorded),
        legend: legend(&series, Unit::Pages),
        drawing,
        figures,
    }
    .render()
}

fn writes_by_origin(section: &WritesSection, why: String) -> Markup {
    let series = series(&section.kinds, &Palette::new(&section.kinds), Kind::label);
    let rows: Vec<Bar<Kind>> = section
        .origins
        .iter()
        .filter(|row| row.pages > 0)
        .map(|row| Bar { name: row.origin.label().into(), parts: row.kinds.clone() })
        .collect();
    let most = section.origins.iter().map(|row| row.pages).max().unwrap_or(0);
    let label = format!("Pages written, by origin and what became of them: {} in all", count(section.pages));
    let (drawing, figures) = bars(&label, &rows, &series, Unit::Pages, most, None);
    Figure {
        id: "chart-write-origins",
        title: "Writes by origin",
        notes: vec![why],
        legend: legend(&series, Unit::Pages),
        drawing,
        figures,
    }
    .render()
}

/// The worst stack of each origin, by the parts that used it.
fn stacks(report: &Report, floor: Option<u64>) -> Option<Markup> {
    let (stacks, headroom) = (report.stacks.get()?.per_origin(), report.headroom.get()?);
    let mut totals = BTreeMap::new();
    let mut rows = Vec::new();
    for stack in stacks {
        let parts: BTreeMap<usize, u64> =
            stack.parts.iter().filter_map(|part| Some((place(part.part)?, part.bytes))).collect();
        for (part, bytes) in &parts {
            *totals.entry(*part).or_insert(0_u64) += bytes;
        }
        rows.push(Bar {
            name: format!("{} at {}, {}:{}", stack.origin.label(), stack.layer.label(), stack.comm, stack.pid),
            parts,
        });
    }
    if totals.is_empty() {
        return None;
    }
    // Show the parts from the top of the stack down.
    let mut series =
        series(&totals, &Palette::new(&totals), |part| Part::ALL.get(part).map_or("?", |part| part.label()));
    chart::in_order(&mut series);
    let size = headroom.stack_size;
    let limit =
        floor.filter(|floor| *floor < size).map(|floor| (size - floor, format!("floor: {} bytes left", count(floor))));
    let label = format!("The worst stack of each origin, by which part used how much of {} bytes", count(size));
    let (drawing, figures) = bars(&label, &rows, &series, Unit::Bytes, size, limit.as_ref());
    let notes = vec![format!("A bar is as long as a stack, {} bytes; its empty end was left.", count(size))];
    Some(
        Figure {
            id: "chart-stacks",
            title: "Worst stacks, by who used them",
            notes,
            legend: chart::legend_of_names(&series),
            drawing,
            figures,
        }
        .render(),
    )
}

fn place(part: Part) -> Option<usize> {
    Part::ALL.iter().position(|other| *other == part)
}

/// Names the two largest.
fn most<K: Copy + Ord>(totals: &BTreeMap<K, u64>, label: impl Fn(K) -> &'static str) -> String {
    let mut sorts: Vec<(&K, &u64)> = totals.iter().collect();
    sorts.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let names: Vec<&str> = sorts.into_iter().take(2).map(|(key, _)| label(*key)).collect();
    format!("most of it {}", names.join(" and "))
}

fn chart_time(ns: u64) -> String {
    span(ns / 1000).replace(".000", "")
}

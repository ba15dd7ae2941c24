// SPDX-License-Identifier: GPL-2.0
//! Which charts there are, and what they are made from: the events of a recording, or else the ledgers' totals.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{
    Recorded,
    chart::{self, Bar, Columns, Figure, Series, Unit, bars, columns, headroom, legend, like, series},
    events::Events,
    timeline::{Bins, Timeline},
};
use crate::{
    format::{count, span},
    frames::Part,
    names::{Cause, Kind, Origin},
    report::{CauseRow, Report, StallsSection, WritesSection},
};

/// About so many columns.
const COLUMNS: u64 = 80;

/// Draws all charts that there is something to draw of.
pub fn render(report: &Report, recorded: Option<&Recorded>) -> Markup {
    let floor = report.module.params.get("headroom_floor").and_then(|floor| floor.parse().ok());
    let origins = origins(report, recorded);
    html! {
        section id="charts" {
            h2 { "Charts" }
            (stalls(report, recorded))
            (writes(report, recorded, &origins))
            @match report.headroom.get() {
                Some(section) => (headroom(section, floor, &origins).unwrap_or_else(|| nothing("Stack left", "No stack was sampled."))),
                None => (nothing("Stack left", "Headroom is not available: see its section.")),
            }
            @if let Some(figure) = stacks(report, floor) { (figure) }
        }
    }
}

/// Adds amounts to others.
fn add<K: Copy + Ord>(sums: &mut BTreeMap<K, u64>, amounts: impl IntoIterator<Item = (K, u64)>) {
    for (key, n) in amounts {
        let sum = sums.entry(key).or_default();
        *sum = sum.saturating_add(n);
    }
}

/// Origins, each with one colour for all charts.
fn origins(report: &Report, recorded: Option<&Recorded>) -> Vec<Series<Origin>> {
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
    series(&sums, Origin::label)
}

/// Causes, likewise.
fn causes(report: &Report, recorded: Option<&Recorded>) -> Vec<Series<Cause>> {
    let mut sums = BTreeMap::new();
    if let Some(section) = report.stalls.get() {
        add(&mut sums, by_cause(&section.causes));
    }
    if let Some(recorded) = recorded {
        add(&mut sums, recorded.events.stalls.totals());
    }
    series(&sums, Cause::label)
}

fn by_cause(rows: &[CauseRow]) -> BTreeMap<Cause, u64> {
    rows.iter().map(|row| (row.cause, row.ns)).collect()
}

/// What is there instead of a chart of nothing.
fn nothing(title: &str, why: &str) -> Markup {
    html! { figure { figcaption { h3 { (title) } } p.note { (why) } } }
}

/// Why there are no events to draw.
fn no_events(recorded: Option<&Recorded>, name: &str) -> String {
    let why = match recorded {
        None => "how it went is in the events of a recording (reclaimwb record)".to_owned(),
        Some(recorded) if asked(recorded, name, 0) => format!("the recording has no event {name} of it"),
        Some(_) => format!("the event {name} was not recorded (--events)"),
    };
    format!("These are totals of the whole time: {why}.")
}

/// Cuts a timeline into the columns of a recording.
fn cut<K: Copy + Ord>(line: &Timeline<K>, recorded: &Recorded) -> Bins<K> {
    // Of seconds; never negative, and far below 2^64 nanoseconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let ns = (recorded.recording.end.seconds.max(0.0) * 1e9) as u64;
    line.bins(recorded.recording.head.clock.ns, ns, COLUMNS)
}

/// Whether there are events of this name, or would be if it had happened.
fn asked(recorded: &Recorded, name: &str, found: u64) -> bool {
    found > 0 || recorded.recording.head.events.iter().any(|event| event == name)
}

fn stalls(report: &Report, recorded: Option<&Recorded>) -> Markup {
    let ledger = report.stalls.get().filter(|section| section.stalls > 0);
    let causes = causes(report, recorded);
    match (recorded.filter(|recorded| asked(recorded, "stall", recorded.events.stall_events)), ledger) {
        (Some(recorded), ledger) if recorded.events.stall_events > 0 => html! {
            (stalls_over_time(recorded, &causes))
            @if let Some(section) = ledger { (stalls_by_origin(section, None, &causes)) }
        },
        (Some(_), None) => nothing("Stalls over time", "No task stalled while it was recorded."),
        (_, Some(section)) => stalls_by_origin(section, Some(no_events(recorded, "stall")), &causes),
        (None, None) => nothing("Stalls", "No task stalled, or stalls were not timed."),
    }
}

fn stalls_over_time(recorded: &Recorded, causes: &[Series<Cause>]) -> Markup {
    let events = &recorded.events;
    let bins = cut(&events.stalls, recorded);
    let totals = events.stalls.totals();
    let series = like(causes, &totals);
    let all = totals.values().fold(0_u64, |sum, ns| sum.saturating_add(*ns));
    let label = format!(
        "Time that tasks stalled, by cause, over time: {} stalls, {} in all; {}",
        count(events.stall_events),
        span(all / 1000),
        most(&totals, Cause::label),
    );
    let (drawing, figures) = columns(&Columns { label, bins: &bins, series: &series, unit: Unit::Time });
    let notes = vec![format!(
        "Each column is the time that all tasks together stalled within {}, from the {} stalls of the recording. A \
             stall's causes are spread evenly over it: when it was at which is not known.",
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

/// What was lost is missing in a chart, too.
fn with_lost(mut notes: Vec<String>, recorded: &Recorded) -> Vec<String> {
    if recorded.recording.end.lost > 0 {
        notes.push(format!("{} events were lost: some of it is missing here.", count(recorded.recording.end.lost)));
    }
    notes
}

fn stalls_by_origin(section: &StallsSection, why: Option<String>, causes: &[Series<Cause>]) -> Markup {
    let totals = by_cause(&section.causes);
    let series = like(causes, &totals);
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

fn writes(report: &Report, recorded: Option<&Recorded>, origins: &[Series<Origin>]) -> Markup {
    let over_time = recorded.and_then(|recorded| {
        let Events { writes, write_events, windows, window_events, .. } = &recorded.events;
        if asked(recorded, "reclaim_write", *write_events) {
            Some(writes_over_time(recorded, writes, origins, "Each column is the pages that reclaim wrote"))
        } else if asked(recorded, "reclaim_window", *window_events) {
            let what = "Each column is the pages that reclaim wrote, spread evenly over the windows in which it did \
                        (the event reclaim_write was not recorded),";
            Some(writes_over_time(recorded, windows, origins, what))
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

fn writes_over_time(recorded: &Recorded, line: &Timeline<Origin>, origins: &[Series<Origin>], what: &str) -> Markup {
    let totals = line.totals();
    if totals.is_empty() {
        return nothing("Writes over time", "Reclaim wrote nothing while it was recorded.");
    }
    let bins = cut(line, recorded);
    let series = like(origins, &totals);
    let all = totals.values().fold(0_u64, |sum, n| sum.saturating_add(*n));
    let label = format!("Pages written over time, by origin: {} in all; {}", count(all), most(&totals, Origin::label));
    let (drawing, figures) = columns(&Columns { label, bins: &bins, series: &series, unit: Unit::Pages });
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
    let series = series(&section.kinds, Kind::label);
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

/// The worst stack of each origin by who used it.
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
    // From the top of the stack down, as they lie on it.
    let mut series = series(&totals, |part| Part::ALL.get(part).map_or("?", |part| part.label()));
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

/// The two that are most of it.
fn most<K: Copy + Ord>(totals: &BTreeMap<K, u64>, label: impl Fn(K) -> &'static str) -> String {
    let mut sorts: Vec<(&K, &u64)> = totals.iter().collect();
    sorts.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let names: Vec<&str> = sorts.into_iter().take(2).map(|(key, _)| label(*key)).collect();
    format!("most of it {}", names.join(" and "))
}

fn chart_time(ns: u64) -> String {
    span(ns / 1000).replace(".000", "")
}

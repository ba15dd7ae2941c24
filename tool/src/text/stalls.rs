// SPDX-License-Identifier: GPL-2.0
//! Where the time of tasks that wanted memory went.

use std::collections::BTreeMap;

use super::{
    available,
    figures::{bound, mark, spread},
    layout::{Page, Table},
    nbd::phases,
    rest::end,
};
use crate::{
    container,
    format::{count, percent, span},
    ledger::{HeldBy, Part, Probe, Stall, total},
    names::{Cause, Function},
    report::{CauseRow, CleanStalls, Report, StallLocks, StallsSection, Times},
};

/// At most this many stalls and cgroups are shown.
const SHOWN: usize = 8;
/// For this many of these stalls, all that is known is shown.
const WHOLE: usize = 2;

/// Draws the section.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("STALLS", "where the time of tasks that wanted memory went");
    let Some(stalls) = available(page, &report.stalls) else {
        return;
    };
    if !stalls.on {
        page.paragraph("  ", "  ", "Stalls are not timed now (parameter stalls).");
    }
    if stalls.stalls == 0 {
        if stalls.on {
            page.paragraph("  ", "  ", "No task stalled.");
        }
        return;
    }
    causes(page, stalls);
    origins(page, stalls);
    if let Some(of) = &stalls.clean {
        clean(page, of);
    }
    cgroups(page, stalls);
    if let Some(of) = &stalls.locks {
        locks(page, of);
    }
    longest(page, stalls);
    let whys = [
        (Part::Off, "switched off"),
        (Part::Waiting, "whose module is not loaded"),
        (Part::Unavailable, "not to be had on this kernel"),
    ];
    for (part, why) in whys {
        let names: Vec<&str> =
            stalls.not_told_apart.iter().filter(|(_, p)| **p == part).map(|(c, _)| c.label()).collect();
        if !names.is_empty() {
            page.paragraph("  ", "  ", &format!("Not told apart, {why}: {}.", names.join(", ")));
        }
    }
    if !stalls.whole_slow_path {
        page.paragraph("  ", "  ", "A stall is a reclaim window here, without what the allocator does between.");
    } else if let Some(symbol) = report.module.probes.iter().find_map(slow_path) {
        page.paragraph("  ", "  ", &format!("A stall is the slow path, which is {symbol} in this kernel."));
    }
}

/// The name of the slow path in this kernel, if it differs from that of the function.
fn slow_path(probe: &Probe) -> Option<&str> {
    probe.symbol.as_deref().filter(|_| probe.name == Function::SlowPath.name())
}

fn causes(page: &mut Page, stalls: &StallsSection) {
    let mut table = Table::new(&["<time went to", "in all", "share", "stalls", "half below", "99% below"]);
    let of = |row: &CauseRow, get: fn(&Times) -> String| row.stalls.as_ref().map_or("-".into(), get);
    for row in &stalls.causes {
        table.row(vec![
            row.cause.label().into(),
            span(row.ns / 1000),
            percent(row.share),
            of(row, |times| count(times.count)),
            of(row, |times| bound(times, times.p50_below_us)),
            of(row, |times| bound(times, times.p99_below_us)),
        ]);
    }
    let lengths: Vec<u64> = stalls.causes.iter().map(|row| row.ns).collect();
    table.bars(&lengths, lengths.iter().copied().max().unwrap_or(0));
    table.drop_empty();
    page.table(&table);
}

fn origins(page: &mut Page, stalls: &StallsSection) {
    if stalls.origins.is_empty() {
        return;
    }
    page.line("");
    for row in &stalls.origins {
        let took = row.stalls.mean_us.map_or(String::new(), |mean| {
            format!(", each {}", spread(mean, row.stalls.p50_below_us, row.stalls.p99_below_us))
        });
        let longest = row.longest_ns.map_or(String::new(), |ns| format!(", the longest kept {}", span(ns / 1000)));
        let scanned = match row.scanned_per_freed {
            Some(n) => format!("; {n:.1} pages scanned for each page freed"),
            None => "; nothing was freed".into(),
        };
        let text = format!(
            "{}: {} stalls, {} in all{took}{longest}{scanned}.",
            row.origin.label(),
            count(row.stalls.count),
            span(row.ns / 1000)
        );
        page.paragraph("  ", "    ", &text);
    }
}

/// Draws the stalls that began although there were clean pages. These stalls did not begin for want of I/O.
fn clean(page: &mut Page, clean: &CleanStalls) {
    if clean.stalls == 0 {
        return;
    }
    let text = format!(
        "{} stalls, {} in all, began although most of what could be freed was clean: {}.",
        count(clean.stalls),
        span(clean.ns / 1000),
        most(&clean.causes_ns, clean.ns, 3)
    );
    page.paragraph("  ", "    ", &text);
}

/// Draws the cgroups of the tasks. If there is only one cgroup, nothing is drawn.
fn cgroups(page: &mut Page, stalls: &StallsSection) {
    if stalls.cgroups.len() < 2 {
        return;
    }
    let shown = || stalls.cgroups.iter().take(page.at_most(SHOWN));
    let bounded = shown().any(|row| row.missed_ns > 0);
    let mut heads = vec!["<tasks of cgroup", "stalls", "in all", "<mostly"];
    if bounded {
        heads.insert(3, "or more by");
    }
    let mut table = Table::new(&heads);
    let columns = page.at_most(page.width() / 3);
    for row in shown() {
        let mut cells = vec![
            end(&row.label(container::shown), columns),
            count(row.stalls.count),
            span(row.ns / 1000),
            most(&row.causes_ns, row.ns, 1),
        ];
        if bounded {
            cells.insert(3, if row.missed_ns > 0 { span(row.missed_ns / 1000) } else { "-".into() });
        }
        table.row(cells);
    }
    page.line("");
    page.table(&table);
    if bounded {
        page.paragraph(
            "  ",
            "    ",
            "Or more by: at most this much of (others) is its own, because it had no row for a while.",
        );
    }
    if stalls.lost_rows > 0 {
        page.paragraph("  ", "    ", &lost_rows(stalls.lost_rows));
    }
}

/// Says what is missing from the counts of an interval.
pub(super) fn lost_rows(n: u64) -> String {
    let (cgroups, their) = if n == 1 { ("cgroup", "its row is") } else { ("cgroups", "their rows are") };
    format!("{} {cgroups} had counted something before, and {their} another's by now.", count(n))
}

/// Draws the waits for locks of tasks that stalled.
fn locks(page: &mut Page, locks: &StallLocks) {
    if locks.all.waits == 0 {
        return;
    }
    let own = match locks.stalled.waits {
        0 => "none of them by tasks that stalled themselves".into(),
        n => format!("{} of them by tasks that stalled themselves", count(n)),
    };
    let text = format!(
        "Tasks waited {} times, {} in all, for locks held by tasks that stalled; {own}.",
        count(locks.all.waits),
        span(locks.all.ns / 1000)
    );
    page.line("");
    page.paragraph("  ", "    ", &text);
    let mut table =
        Table::new(&["<lock taken in", "<held by", "<which stalled for", "waits", "time", "longest", "<of"]);
    for row in locks.sites.iter().take(page.at_most(SHOWN)) {
        let (held_by, last) = match row.held_by {
            HeldBy::Task => ("a task", ""),
            HeldBy::Readers => ("readers", " (a reader)"),
        };
        table.row(vec![
            row.function().to_owned(),
            held_by.into(),
            row.cause.map_or("-", Cause::label).into(),
            count(row.waits.waits),
            span(row.waits.ns / 1000),
            span(row.longest_ns / 1000) + mark(row.longest_is_new),
            format!("{} for {}{last}", row.waiter.task, row.holder.task),
        ]);
    }
    if locks.other.waits > 0 {
        let (n, ns) = (count(locks.other.waits), span(locks.other.ns / 1000));
        table.row(vec!["(others)".into(), "-".into(), "-".into(), n, ns, "-".into(), "-".into()]);
    }
    page.table(&table);
    if locks.sites.iter().any(|row| row.held_by == HeldBy::Readers) {
        let text = "A lock names only the last one of its readers: it may have left before its stall.";
        page.paragraph("  ", "    ", text);
    }
}

fn longest(page: &mut Page, stalls: &StallsSection) {
    let longest = &stalls.longest;
    let mut table = Table::new(&["longest", "<task", "<origin", "order", "<mostly"]);
    for stall in longest.iter().take(page.at_most(SHOWN)) {
        table.row(vec![
            span(stall.ns / 1000),
            format!("{}[{}]", stall.task, stall.pid),
            stall.origin.label().into(),
            stall.order.to_string(),
            most(&stall.parts_ns, stall.ns, 1),
        ]);
    }
    if table.is_empty() {
        return;
    }
    page.line("");
    page.table(&table);
    page.line("");
    for stall in longest.iter().take(page.at_most(WHOLE)) {
        page.paragraph("  ", "    ", &whole(stall, stalls));
    }
}

/// One stall, with all that is known of it.
fn whole(stall: &Stall, stalls: &StallsSection) -> String {
    let cgroup = match (stalls.cgroup_of(stall), stall.cgroup) {
        (Some(row), _) => row.label(container::shown),
        (None, 0) => "none".into(),
        (None, id) => format!("id {id}"),
    };
    let waited = total(stall.nbd_ns.values().copied());
    let nbd = if waited > 0 {
        format!(" For NBD requests it waited {}: {}.", span(waited / 1000), phases(&stall.nbd_ns, waited))
    } else {
        String::new()
    };
    format!(
        "{} of {}[{}] at {:.3} s: order {}, gfp {}, node {}, cgroup {}; scanned {} pages, freed {}; inactive pages of \
         files {}, others {}, dirty {}: {}.{nbd}",
        span(stall.ns / 1000),
        stall.task,
        stall.pid,
        stall.began_ns as f64 / 1e9,
        stall.order,
        stall.gfp,
        stall.node,
        cgroup,
        count(stall.scanned_pages),
        count(stall.freed_pages),
        count(stall.inactive_file_pages),
        count(stall.inactive_anon_pages),
        count(stall.dirty_pages),
        most(&stall.parts_ns, stall.ns, usize::MAX),
    )
}

/// The causes that took most of a time, the largest first.
fn most(causes: &BTreeMap<Cause, u64>, all: u64, n: usize) -> String {
    let mut causes: Vec<(&Cause, &u64)> = causes.iter().collect();
    causes.sort_by_key(|(_, ns)| std::cmp::Reverse(**ns));
    let shown = causes
        .iter()
        .take(n)
        .map(|(cause, ns)| format!("{} {}", cause.label(), percent(**ns as f64 / all.max(1) as f64)));
    shown.collect::<Vec<_>>().join(", ")
}

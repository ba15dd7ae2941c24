// SPDX-License-Identifier: GPL-2.0
//! Draws the cgroups, what is not in the numbers, and what recording cost.

use super::{
    available,
    layout::{Page, Table},
    stalls::lost_rows,
};
use crate::{
    container,
    format::{cell, count, mib, percent, percent_of_cpu},
    ledger::{Hierarchy, total},
    names::Layer,
    report::{CgroupRow, Report},
};

/// At most this many cgroups are shown.
const TOP: usize = 10;
/// At most this many events are shown.
const EVENTS: usize = 5;

/// Draws the cgroups whose pages were written.
pub fn cgroups(page: &mut Page, report: &Report) {
    page.heading("WHOSE PAGES", "(by the cgroup the written folio belonged to)");
    let Some(cgroups) = available(page, &report.cgroups) else { return };
    if cgroups.groups.is_empty() && cgroups.table_full_pages == 0 && cgroups.removed_pages == 0 {
        page.line("  No page of a cgroup was written.");
        return;
    }
    let shown = || cgroups.groups.iter().take(page.at_most(TOP));
    let bounded = shown().any(|group| group.missed_pages > 0);
    let mut heads = vec!["<cgroup", "pages", "share", "<written by"];
    if bounded {
        heads.insert(2, "or more by");
    }
    let mut table = Table::new(&heads);
    for group in shown() {
        let mut cells = vec![path(group, page), count(group.pages), percent(group.share), by(group)];
        if bounded {
            cells.insert(2, cell(group.missed_pages));
        }
        table.row(cells);
    }
    page.table(&table);
    if let Some(more) = cgroups.groups.len().checked_sub(page.at_most(TOP)).filter(|more| *more > 0) {
        let pages = total(cgroups.groups.iter().skip(page.at_most(TOP)).map(|group| group.pages));
        page.line(&format!("  and {more} more with {} pages", count(pages)));
    }
    if cgroups.table_full_pages > 0 {
        page.line(&format!("  {} pages of cgroups beyond the table", count(cgroups.table_full_pages)));
    }
    if cgroups.removed_pages > 0 {
        page.line(&format!("  {} pages of cgroups that are gone, and so are their rows", count(cgroups.removed_pages)));
    }
    if bounded {
        let text =
            "Or more by: at most this many of those beyond the table are its own, because it had no row for a while.";
        page.paragraph("  ", "    ", text);
    }
    if cgroups.lost_rows > 0 {
        page.paragraph("  ", "    ", &lost_rows(cgroups.lost_rows));
    }
}

fn path(group: &CgroupRow, page: &Page) -> String {
    let path = group.path.as_deref().map_or_else(
        || match group.hierarchy {
            Hierarchy::V2 => format!("(no path, id {})", group.id),
            Hierarchy::V1 => format!("(cgroup v1, id {})", group.id),
        },
        container::shown,
    );
    let removed = if group.removed { " (removed)" } else { "" };
    end(&path, page.at_most(page.width() / 3).saturating_sub(removed.len())) + removed
}

/// A cgroup in at most `columns` columns. If it has a name, this is the name and as much of its path as fits; else it
/// is the end of the path, which says more than its beginning.
pub fn end(shown: &str, columns: usize) -> String {
    let long = shown.chars().count();
    if long <= columns {
        return shown.to_owned();
    }
    let last = |text: &str, columns: usize| {
        let skipped = (text.chars().count() + 2).saturating_sub(columns);
        format!("..{}", text.chars().skip(skipped).collect::<String>())
    };
    match shown.split_once(" (/") {
        Some((name, path)) if name.chars().count() + 8 <= columns => {
            format!("{name} ({}", last(path, columns - name.chars().count() - 2))
        }
        Some((name, _)) => name.to_owned(),
        None => last(shown, columns),
    }
}

fn by(group: &CgroupRow) -> String {
    let mut origins: Vec<_> = group.origins.iter().collect();
    origins.sort_by_key(|(_, pages)| std::cmp::Reverse(**pages));
    let first: Vec<String> = origins
        .iter()
        .take(2)
        .map(|(origin, pages)| format!("{} {}", origin.label(), percent(**pages as f64 / group.pages as f64)))
        .collect();
    let more = if origins.len() > 2 { format!(" +{}", origins.len() - 2) } else { String::new() };
    first.join(", ") + &more
}

/// Draws what is not in the numbers.
pub fn not_recorded(page: &mut Page, report: &Report) {
    page.heading("NOT IN THE NUMBERS", "");
    let rest = &report.not_recorded;
    let lost: Vec<String> = rest.lost.iter().map(|(table, n)| format!("{table} {}", count(*n))).collect();
    let pages = rest.lost_pages.map_or("unknown".into(), count);
    page.paragraph(
        "  ",
        "    ",
        &format!("Lost: {}; pages written in windows not recorded: {pages}.", lost.join(", ")),
    );
    page.paragraph(
        "  ",
        "    ",
        &format!("Windows: {} open now; room for {}.", count(rest.windows_open), count(rest.slots)),
    );
    if let Some(low) = rest.below_floor.filter(|low| *low > 0) {
        page.paragraph(
            "  ",
            "    ",
            &format!(
                "Below headroom_floor: {} samples (they are in the numbers); {} trace events held back.",
                count(low),
                count(rest.below_floor_suppressed.unwrap_or(0))
            ),
        );
    }
    if let Some(calls) = rest.calls_of_irqs.filter(|calls| *calls > 0) {
        page.paragraph(
            "  ",
            "    ",
            &format!(
                "Interrupts called probed functions on top of a handler {} times: these are no task's calls.",
                count(calls)
            ),
        );
    }
    let mut table = Table::new(&["<samples charged to nobody", "on an IRQ stack", "in softirq", "in no window"]);
    for layer in Layer::ALL {
        let n = |map: &std::collections::BTreeMap<Layer, u64>| map.get(layer).copied();
        let counts = [n(&rest.on_irq_stack), n(&rest.in_softirq), n(&rest.outside_windows)];
        if counts.iter().flatten().any(|n| *n > 0) {
            let mut cells = vec![layer.label().to_owned()];
            cells.extend(counts.into_iter().map(|n| cell(n.unwrap_or(0))));
            table.row(cells);
        }
    }
    if table.is_empty() {
        page.line("  Every sample was taken on the stack of a task in a window.");
    } else {
        page.table(&table);
    }
    for (part, why) in &report.module.unavailable {
        page.paragraph("  ", "    ", &format!("Unavailable: {part} ({why})."));
    }
    // Even if no whole part is missing without a probe, something is.
    for probe in report.module.probes.iter().filter(|probe| probe.missing()) {
        page.paragraph("  ", "    ", &format!("Not attached: {} ({}).", probe.name, probe.state));
    }
    forms(page, report);
}

/// Names the functions that are probed under another name than their own.
fn forms(page: &mut Page, report: &Report) {
    let names: Vec<&str> = report.module.probes.iter().filter_map(|probe| probe.symbol.as_deref()).collect();
    if !names.is_empty() {
        let text = format!("Probed under the names that the compiler gave them: {}.", names.join(", "));
        page.paragraph("  ", "    ", &text);
    }
}

/// Draws what the module itself cost.
pub fn cost(page: &mut Page, report: &Report) {
    page.heading("COST OF RECORDING", "");
    let cost = &report.module.cost;
    let each = cost.sampled_cycles.checked_div(cost.sampled_events).map_or(String::new(), |each| {
        let all = cost.share_of_a_cpu().map_or_else(
            || format!("{} million cycles in all", count(cost.cycles_estimate / 1_000_000)),
            |share| format!("{} of one CPU", percent_of_cpu(share)),
        );
        format!(", {} cycles each (mean of {} sampled), about {all}", count(each), count(cost.sampled_events))
    });
    let text = format!("{} events handled{each}; {} of memory.", count(cost.events), mib(cost.memory_bytes));
    page.paragraph("  ", "  ", &text);
    let mut events: Vec<_> = report.module.events.iter().filter(|(_, n)| **n > 0).collect();
    events.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    // The rare events are in the JSON.
    events.truncate(EVENTS);
    if !events.is_empty() {
        let events: Vec<String> = events.into_iter().map(|(name, n)| format!("{name} {}", count(*n))).collect();
        page.paragraph("  ", "    ", &format!("Most frequent: {}.", events.join(", ")));
    }
}

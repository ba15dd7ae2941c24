// SPDX-License-Identifier: GPL-2.0
//! Draws what tasks waited for because memory was short.

use super::{
    available,
    figures::mark,
    layout::{Page, Table},
    rest::end,
    stalls::lost_rows,
};
use crate::{
    container,
    format::{cell, count, percent, span},
    ledger::{GroupState, total},
    names::WaitKind,
    report::{Report, WaitCgroupRow, WaitsSection},
};

/// At most this many cgroups are shown, those whose tasks waited longest.
const CGROUPS: usize = 10;

/// At most this many tasks are shown for each kind.
const TASKS: usize = 4;

/// Draws the section.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("WAITS", "all that tasks waited for because of memory, counted by PSI or not");
    let Some(waits) = available(page, &report.waits) else {
        return;
    };
    if waits.state == GroupState::Off {
        page.paragraph("  ", "  ", "They are not counted now (parameter waits).");
    }
    if waits.kinds.is_empty() {
        if waits.state != GroupState::Off {
            page.paragraph("  ", "  ", "Nobody waited.");
        }
        return;
    }
    kinds(page, waits);
    let unexplained = waits.unexplained_share.zip(waits.psi_ns).map_or(String::new(), |(share, ns)| {
        format!(
            " PSI counts {} of that and of the waits of kernel threads; unexplained: {}.",
            span(ns / 1000),
            percent(share)
        )
    });
    page.paragraph("  ", "  ", &format!("Tasks waited for {} in all.{unexplained}", span(waits.ns / 1000)));
    came_back(page, waits);
    devices(page, waits);
    tasks(page, waits);
    cgroups(page, waits);
}

fn kinds(page: &mut Page, waits: &WaitsSection) {
    let mut table = Table::new(&["<waits for", "waits", "time", "in PSI", "longest", "<limit"]);
    for row in &waits.kinds {
        let most = row.limits.iter().max_by_key(|(_, ns)| **ns).filter(|(_, ns)| **ns > 0);
        let limit = most.map_or("-".into(), |(limit, ns)| {
            format!("{} {}", limit.label(), percent(*ns as f64 / row.ns.max(1) as f64))
        });
        table.row(vec![
            row.kind.label().into(),
            count(row.waits_us.count),
            span(row.ns / 1000),
            row.psi_ns.filter(|ns| *ns > 0).map_or("-".into(), |ns| span(ns / 1000)),
            row.longest_ns.map_or("-".into(), |ns| span(ns / 1000) + mark(row.longest_is_new.unwrap_or(true))),
            limit,
        ]);
    }
    page.table(&table);
}

/// Draws the pages that came back.
fn came_back(page: &mut Page, waits: &WaitsSection) {
    let of = |pages: &std::collections::BTreeMap<crate::names::Limit, u64>| {
        let by: Vec<String> = pages
            .iter()
            .filter(|(_, n)| **n > 0)
            .map(|(limit, n)| format!("{} at {}", count(*n), limit.label()))
            .collect();
        (total(pages.values().copied()), by.join(", "))
    };
    for (what, pages) in [("files", &waits.file_refaults), ("anonymous memory", &waits.anon_refaults)] {
        let (n, by) = of(pages);
        if n > 0 {
            let text = format!("Pages of {what} that came back soon after reclaim: {} ({by}).", count(n));
            page.paragraph("  ", "    ", &text);
        }
    }
}

fn devices(page: &mut Page, waits: &WaitsSection) {
    let mut table = Table::new(&["<device", "<waits for", "waits", "time"]);
    table.say_once(0);
    for (device, kinds) in &waits.devices {
        let name = if device == "0:0" { "not known".to_owned() } else { device.clone() };
        for (kind, n) in kinds {
            table.row(vec![name.clone(), kind.label().into(), cell(n.waits), span(n.ns / 1000)]);
        }
    }
    // These are not counted by kind, nor one by one.
    if let Some(ns) = waits.other_devices_ns.filter(|ns| *ns > 0) {
        table.row(vec!["(others)".into(), "-".into(), "-".into(), span(ns / 1000)]);
    }
    if !table.is_empty() {
        page.line("");
        page.table(&table);
    }
}

fn tasks(page: &mut Page, waits: &WaitsSection) {
    for row in &waits.kinds {
        let mut tasks: Vec<_> = row.tasks.iter().collect();
        tasks.sort_by_key(|(_, n)| std::cmp::Reverse(n.ns));
        let tasks: Vec<String> = tasks
            .iter()
            .take(page.at_most(TASKS))
            .map(|(name, n)| format!("{name} {} ({})", count(n.waits), span(n.ns / 1000)))
            .collect();
        if !tasks.is_empty() {
            page.paragraph("  ", "    ", &format!("Who waited for {}: {}.", row.kind.label(), tasks.join(", ")));
        }
    }
}

fn cgroups(page: &mut Page, waits: &WaitsSection) {
    let shown = || waits.cgroups.iter().take(page.at_most(CGROUPS));
    let bounded = shown().any(|row| row.waits.missed_ns > 0);
    let mut heads = vec!["<cgroup", "swap-in", "refaults", "dirty", "stalls", "other", "in PSI", "read again"];
    if bounded {
        heads.push("or more by");
    }
    let mut table = Table::new(&heads);
    let columns = page.at_most(page.width() / 3);
    for row in shown() {
        let of = |kind: WaitKind| row.waits.kinds.get(&kind).map_or(0, |n| n.ns);
        let time = |ns: u64| if ns == 0 { "-".to_owned() } else { span(ns / 1000) };
        let named = [WaitKind::Swapin, WaitKind::Refault, WaitKind::Dirty, WaitKind::Stall];
        let rest = row.ns.saturating_sub(total(named.iter().map(|kind| of(*kind))));
        let [swapin, refault, dirty, stall] = named.map(|kind| time(of(kind)));
        let mut cells = vec![
            name(row, columns),
            swapin,
            refault,
            dirty,
            stall,
            time(rest),
            time(row.waits.psi_ns),
            cell(row.waits.file_pages.saturating_add(row.waits.anon_pages)),
        ];
        if bounded {
            cells.push(time(row.waits.missed_ns));
        }
        table.row(cells);
    }
    if !table.is_empty() {
        page.line("");
        page.table(&table);
    }
    if bounded {
        let text = "Or more by: at most this much of (others) is its own, because it had no row for a while.";
        page.paragraph("  ", "    ", text);
    }
    if waits.lost_rows > 0 {
        page.paragraph("  ", "    ", &lost_rows(waits.lost_rows));
    }
}

/// The name of a row. If it is too long, what runs in the cgroup is named instead of the path.
fn name(row: &WaitCgroupRow, columns: usize) -> String {
    let shown = row.waits.path.as_deref().map(container::shown);
    let removed = if row.waits.removed { " (removed)" } else { "" };
    end(&shown.map_or_else(|| row.name(), |name| format!("{name}{removed}")), columns)
}

// SPDX-License-Identifier: GPL-2.0
//! Draws the reserves: what took pages of them, how low the zones fell, and which tasks waited.

use super::{
    available,
    figures::mark,
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, percent, span},
    ledger::GroupState,
    names::{User, Woken},
    report::{Report, ReservesSection, WaitsRow},
};

/// At most this many of the tasks that waited, and of the call sites, are shown.
const TASKS: usize = 5;

fn user(key: &str) -> &str {
    match User::from_name(key) {
        Some(user) => user.label(),
        None => key,
    }
}

fn ended(key: &str) -> &str {
    match Woken::from_name(key) {
        Some(woken) => woken.label(),
        None => key,
    }
}

/// Draws the section.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("RESERVES", "pages taken without regard to the watermarks, and waits for them");
    let Some(reserves) = available(page, &report.reserves) else {
        return;
    };
    if reserves.state == GroupState::Off {
        page.paragraph("  ", "  ", "They are not watched now (parameter reserves).");
    }
    if reserves.users.is_empty() {
        page.paragraph("  ", "  ", "Nobody took any.");
    } else {
        users(page, reserves);
        zones(page, reserves);
    }
    if let Some(waits) = &reserves.waits {
        waited(page, waits);
    }
    if let Some(n) = reserves.dropped_packets.filter(|n| *n > 0) {
        let sites: Vec<String> = reserves.drop_sites.iter().map(|(at, n)| format!("{at} {}", count(*n))).collect();
        let text = format!(
            "Packets dropped, because they lay in such pages and were for nobody who frees memory: {} ({}).",
            count(n),
            sites.join(", ")
        );
        page.paragraph("  ", "  ", &text);
    }
    if let Some(n) = reserves.memalloc_sockets {
        page.paragraph("  ", "  ", &format!("Sockets that may use the reserves now: {}.", count(n)));
    }
    for advice in &reserves.advice {
        page.advice("> ", "  ", advice);
    }
}

fn users(page: &mut Page, reserves: &ReservesSection) {
    let mut table = Table::new(&["<for", "allocations", "pages", "below min"]);
    for (key, taken) in &reserves.users {
        table.row(vec![user(key).into(), cell(taken.allocations), cell(taken.pages), cell(taken.below_min_pages)]);
    }
    page.table(&table);
    if !reserves.sites.is_empty() {
        let mut sites: Vec<_> = reserves.sites.iter().collect();
        sites.sort_by_key(|(_, pages)| std::cmp::Reverse(**pages));
        let sites: Vec<String> =
            sites.iter().take(page.at_most(TASKS)).map(|(at, n)| format!("{at} {}", count(**n))).collect();
        page.paragraph("  ", "    ", &format!("Others, pages by call site: {}.", sites.join(", ")));
    }
    if reserves.slabs > 0 {
        let text = format!("Slabs of such pages, which serve nobody else: {}.", count(reserves.slabs));
        page.paragraph("  ", "  ", &text);
    }
}

fn zones(page: &mut Page, reserves: &ReservesSection) {
    let mut table = Table::new(&["<zone", "lowest", "min", "left", "<at", "free now"]);
    for zone in &reserves.zones {
        let Some(lowest) = zone.lowest else {
            continue;
        };
        table.row(vec![
            zone.zone.clone(),
            cell(lowest.free_pages) + mark(lowest.is_new),
            cell(lowest.min_pages),
            zone.left_share.map_or("-".into(), percent),
            format!("{:.1} s of uptime", lowest.at_ns as f64 / 1e9),
            cell(zone.free_pages),
        ]);
    }
    if !table.is_empty() {
        page.table(&table);
    }
}

fn waited(page: &mut Page, waits: &WaitsRow) {
    if waits.all.waits == 0 {
        page.paragraph("  ", "  ", "Nobody waited for them to be refilled.");
        return;
    }
    let by: Vec<String> = waits.ended.iter().map(|(key, w)| format!("{} {}", count(w.waits), ended(key))).collect();
    let open = if waits.open > 0 { format!(" {} wait now.", count(waits.open)) } else { String::new() };
    let text = format!(
        "Tasks waited {} times for them to be refilled, for {} in all, the longest for {}{}; woken {}.{open}",
        count(waits.all.waits),
        span(waits.all.ns / 1000),
        span(waits.longest_ns / 1000),
        mark(waits.longest_is_new),
        by.join(", "),
    );
    page.paragraph("  ", "  ", &text);
    let mut tasks: Vec<_> = waits.tasks.iter().collect();
    tasks.sort_by_key(|(_, w)| std::cmp::Reverse(w.ns));
    let tasks: Vec<String> = tasks
        .iter()
        .take(page.at_most(TASKS))
        .map(|(task, w)| format!("{task} {} ({})", count(w.waits), span(w.ns / 1000)))
        .collect();
    page.paragraph("  ", "    ", &format!("Who: {}.", tasks.join(", ")));
}

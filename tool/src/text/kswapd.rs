// SPDX-License-Identifier: GPL-2.0
//! What kswapd cost, and why it did not rest.

use super::{
    available,
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, mib, percent, span},
    ledger::GroupState,
    report::{KswapdRow, KswapdSection, Report},
};

/// At most this many of the tasks that woke it are shown.
const WAKERS: usize = 5;

/// Draws the section.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("KSWAPD", "what it took, what it scanned for what it freed, why it did not rest");
    let Some(kswapd) = available(page, &report.kswapd) else {
        return;
    };
    if kswapd.nodes.is_empty() {
        page.paragraph("  ", "  ", "It did nothing.");
        return;
    }
    if kswapd.scans_state == GroupState::Off {
        page.paragraph("  ", "  ", "What it scans is not counted now (parameter stalls).");
    }
    let mut table =
        Table::new(&["node", "CPU time", "of a CPU", "passes", "in vain", "scanned", "freed", "scanned per freed"]);
    for row in &kswapd.nodes {
        table.row(vec![
            row.node.to_string(),
            span(row.cpu_ns / 1000),
            row.cpu_share.map_or("?".into(), percent),
            count(row.windows),
            cell(row.fruitless_windows),
            row.scanned_pages.map_or("?".into(), cell),
            cell(row.freed_pages),
            row.scanned_per_freed.map_or("-".into(), |n| format!("{n:.1}")),
        ]);
    }
    page.table(&table);
    for row in &kswapd.nodes {
        node(page, row, report.machine.page_size);
    }
    wakes(page, kswapd);
}

fn node(page: &mut Page, row: &KswapdRow, page_size: u64) {
    let reasons: Vec<String> =
        row.reasons.iter().map(|reason| format!("{} ({})", reason.why.label(), percent(reason.share))).collect();
    if !reasons.is_empty() {
        let text = format!("Node {}, why it did not rest, by its CPU time: {}.", row.node, reasons.join("; "));
        page.paragraph("  ", "    ", &text);
    }
    let left = &row.left;
    let size = |pages: u64| mib(pages.saturating_mul(page_size));
    let swap =
        if left.swap_free == 0 { "no swap is free".into() } else { format!("{} of swap free", size(left.swap_free)) };
    let text = format!(
        "At the end of the last pass it had {} free (its high watermarks ask for {}); {} of files, {} anonymous, \
         {} tmpfs and other shared memory, {} unevictable; {swap}.",
        size(left.free),
        size(left.high),
        size(left.file),
        size(left.anon.saturating_sub(left.shmem)),
        size(left.shmem),
        size(left.unevictable),
    );
    page.paragraph("  ", "    ", &text);
    let kept: Vec<String> = row.kept.iter().map(|(what, n)| format!("{} {what}", count(*n))).collect();
    if !kept.is_empty() {
        page.paragraph(
            "  ",
            "    ",
            &format!("Pages that it took off its lists and did not free: {}.", kept.join(", ")),
        );
    }
    let orders: Vec<String> = row
        .orders
        .iter()
        .filter(|(order, _)| **order > 0)
        .map(|(order, n)| format!("{} for order {order}", count(*n)))
        .collect();
    if !orders.is_empty() {
        page.paragraph("  ", "    ", &format!("Passes for more than a page: {}.", orders.join(", ")));
    }
}

fn wakes(page: &mut Page, kswapd: &KswapdSection) {
    if kswapd.wakes == 0 {
        return;
    }
    let mut by: Vec<String> = kswapd
        .wakers
        .iter()
        .take(page.at_most(WAKERS))
        .map(|row| format!("{} {}", row.task, count(row.wakes.times)))
        .collect();
    if kswapd.wake_interrupts > 0 {
        by.push(format!("interrupts {}", count(kswapd.wake_interrupts)));
    }
    let by = if by.is_empty() { String::new() } else { format!("; most often by {}", by.join(", ")) };
    let large: Vec<String> = kswapd
        .wake_orders
        .iter()
        .filter(|(order, _)| **order > 0)
        .map(|(order, n)| format!("{} for order {order}", count(*n)))
        .collect();
    let large = if large.is_empty() { String::new() } else { format!(", {}", large.join(", ")) };
    page.paragraph("  ", "    ", &format!("It was woken {} times{large}{by}.", count(kswapd.wakes)));
}

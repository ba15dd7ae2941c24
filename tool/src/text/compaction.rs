// SPDX-License-Identifier: GPL-2.0
//! What allocations of several contiguous pages cost tasks, and whether they succeed.

use super::{
    available,
    figures::bound,
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, folio_size, span},
    ledger::GroupState,
    report::{CompactionRow, CompactionSection, Report},
};

/// Draws the section.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("COMPACTION", "what large allocations paid for it, and what they got");
    let Some(compaction) = available(page, &report.compaction) else {
        return;
    };
    if compaction.state == GroupState::Off {
        page.paragraph("  ", "  ", "Attempts are not counted now (parameter stalls).");
    }
    if compaction.orders.is_empty() {
        if compaction.state == GroupState::On {
            page.paragraph("  ", "  ", "No task compacted memory.");
        }
        return;
    }
    let mut table = Table::new(&[
        "order",
        "size",
        "attempts",
        "in all",
        "99% below",
        "served",
        "again",
        "failed",
        "lost to others",
    ]);
    for row in &compaction.orders {
        table.row(vec![
            row.order.to_string(),
            u32::try_from(row.order).map_or("?".into(), |order| folio_size(order, report.machine.page_size)),
            count(row.attempts.count),
            span(row.ns / 1000),
            bound(&row.attempts, row.attempts.p99_below_us),
            cell(row.served),
            cell(row.again),
            cell(row.failed),
            cell(row.races),
        ]);
    }
    page.table(&table);
    for row in &compaction.orders {
        page.paragraph("  ", "    ", &said(row));
    }
    takers(page, compaction);
}

/// The tasks that took blocks that others had compacted for, as far as this is known.
fn takers(page: &mut Page, compaction: &CompactionSection) {
    let races: u64 = compaction.orders.iter().map(|row| row.races).fold(0, u64::saturating_add);
    let mut takers: Vec<_> = compaction.takers.iter().collect();
    takers.sort_by_key(|(_, taken)| std::cmp::Reverse(taken.blocks));
    let most: Vec<String> =
        takers.iter().take(page.at_most(5)).map(|(name, taken)| format!("{name} {}", count(taken.blocks))).collect();
    if !most.is_empty() {
        let text =
            format!("Tasks that took such blocks before it was known what came of an attempt: {}.", most.join(", "));
        page.paragraph("  ", "    ", &text);
    } else if races > 0 && compaction.takers_state == GroupState::Off {
        page.paragraph(
            "  ",
            "    ",
            "Who took them is not noted unless asked for (parameter takers): it is a hot path.",
        );
    }
}

/// The results that the kernel gave for the attempts.
fn said(row: &CompactionRow) -> String {
    let mut results: Vec<String> = row
        .results
        .iter()
        .map(|(result, tried)| format!("{} {} ({})", result.label(), count(tried.attempts), span(tried.ns / 1000)))
        .collect();
    if results.is_empty() {
        results.push("nothing".into());
    }
    format!("order {}: the kernel said {}.", row.order, results.join(", "))
}

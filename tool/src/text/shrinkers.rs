// SPDX-License-Identifier: GPL-2.0
//! Draws which shrinkers were called, how long they took, and what they freed.

use super::{
    available,
    figures::share,
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, percent, span},
    ledger::{GroupState, ShrinkerCounts},
    names::Origin,
    report::{Report, ShrinkerRow, ShrinkersSection},
};

/// At most this many shrinkers are shown, those that took most time.
const SHOWN: usize = 12;

/// At most this many characters of a name are shown.
const NAME_SHOWN: usize = 30;

/// At most this many of the shrinkers that freed nothing for direct reclaim are shown.
const USELESS_SHOWN: usize = 4;

/// For at most this many shrinkers, deferred work is shown by origin.
const LEFT_SHOWN: usize = 3;

/// Draws the section.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("SHRINKERS", "which were called to free objects, and what came of it");
    let Some(shrinkers) = available(page, &report.shrinkers) else {
        return;
    };
    if shrinkers.state == GroupState::Off {
        page.paragraph("  ", "  ", "Calls are not counted now (parameter shrinkers).");
    }
    if shrinkers.total.calls == 0 {
        if shrinkers.state == GroupState::On {
            page.paragraph("  ", "  ", "No shrinker was called.");
        }
        return;
    }
    let direct = &shrinkers.direct;
    if direct.calls > 0 {
        let text = format!(
            "Direct reclaim called shrinkers {} times, for {} in all; {} of the calls had nothing to free, or too little.",
            count(direct.calls),
            span(direct.ns() / 1000),
            share(direct.useless(), direct.calls)
        );
        page.paragraph("  ", "  ", &text);
        page.line("");
    }
    table(page, shrinkers);
    useless(page, shrinkers);
    deferred(page, shrinkers);
}

/// Draws the shrinkers that took most time, sorted by the pages that they freed for each millisecond.
fn table(page: &mut Page, shrinkers: &ShrinkersSection) {
    let mut table = Table::new(&["<shrinker", "pages/ms", "pages", "objects", "calls", "useless", "time"]);
    let mut rows: Vec<&ShrinkerRow> = shrinkers.shrinkers.iter().take(page.at_most(SHOWN)).collect();
    let given = |row: &ShrinkerRow| row.pages_per_ms.unwrap_or(0.0);
    // Of those that freed nothing, the one that took most time comes last.
    rows.sort_by(|a, b| given(b).total_cmp(&given(a)).then(a.counts.ns().cmp(&b.counts.ns())));
    for row in rows {
        table.row(vec![
            row.name.chars().take(page.at_most(NAME_SHOWN)).collect(),
            row.pages_per_ms.map_or("-".into(), |n| format!("{n:.1}")),
            cell(row.counts.freed_pages),
            cell(row.counts.freed),
            count(row.counts.calls),
            row.useless_share.map_or("-".into(), percent),
            span(row.counts.ns() / 1000),
        ]);
    }
    page.table(&table);
    if let Some(more) = shrinkers.shrinkers.len().checked_sub(page.at_most(SHOWN)).filter(|n| *n > 0) {
        page.paragraph("  ", "  ", &format!("... and {more} that took less time; --json has them all"));
    }
}

/// Which origins left work of one shrinker to others, and which did it.
fn left(row: &ShrinkerRow) -> String {
    let by = |get: fn(&ShrinkerCounts) -> u64| {
        let mut origins: Vec<_> =
            row.origins.iter().map(|(origin, n)| (get(n), origin.label())).filter(|(n, _)| *n > 0).collect();
        origins.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        let origins: Vec<String> = origins.iter().map(|(n, origin)| format!("{origin} {}", count(*n))).collect();
        if origins.is_empty() { "nobody".into() } else { origins.join(", ") }
    };
    format!(
        "{}: left by {}; for GFP_NOFS by {}; scanned by {}.",
        row.name,
        by(|n| n.deferred),
        by(|n| n.deferred_nofs),
        by(|n| n.paid)
    )
}

/// Names the shrinkers that took time of direct reclaim and freed nothing for it.
fn useless(page: &mut Page, shrinkers: &ShrinkersSection) {
    let direct = |row: &&ShrinkerRow| row.origins.get(&Origin::Direct).copied().filter(|n| n.freed == 0 && n.calls > 0);
    let mut rows: Vec<(&str, ShrinkerCounts)> =
        shrinkers.shrinkers.iter().filter_map(|row| Some((row.name.as_str(), direct(&row)?))).collect();
    rows.sort_by_key(|(_, n)| std::cmp::Reverse(n.ns()));
    let ns = rows.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(n.ns()));
    let most: Vec<String> = rows
        .iter()
        .take(USELESS_SHOWN)
        .map(|(name, n)| format!("{name} ({} calls, {})", count(n.calls), span(n.ns() / 1000)))
        .collect();
    if !most.is_empty() {
        let text = format!(
            "{} shrinkers freed nothing for direct reclaim, in {}; most of it in {}.",
            rows.len(),
            span(ns / 1000),
            most.join(", ")
        );
        page.paragraph("  ", "  ", &text);
    }
}

/// Draws which origins left work to others and which did it, and the calls that ran in the same shrinker at once.
fn deferred(page: &mut Page, shrinkers: &ShrinkersSection) {
    let total = &shrinkers.total;
    let spent =
        format!("Counting objects took {}, scanning them {}.", span(total.count_ns / 1000), span(total.scan_ns / 1000));
    page.paragraph("  ", "  ", &spent);
    if total.refused > 0 {
        let text = format!(
            "{} calls were refused, most by {}: a shrinker may not enter a filesystem, or could not take a lock.",
            count(total.refused),
            shrinkers.shrinkers.iter().max_by_key(|row| row.counts.refused).map_or("?", |row| row.name.as_str())
        );
        page.paragraph("  ", "  ", &text);
    }
    if total.deferred > 0 {
        let text = format!(
            "{} objects were left to later calls, {} of them because the reclaimer must not enter a filesystem \
             (GFP_NOFS); later calls scanned {} of what others had left.",
            count(total.deferred),
            count(total.deferred_nofs),
            count(total.paid)
        );
        page.paragraph("  ", "  ", &text);
        let mut rows: Vec<_> = shrinkers.shrinkers.iter().filter(|row| row.counts.deferred > 0).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.counts.deferred));
        for row in rows.into_iter().take(page.at_most(LEFT_SHOWN)) {
            page.paragraph("    ", "      ", &left(row));
        }
    }
    if total.overlapped > 0 {
        let text = format!(
            "{} calls ({}) ran while another one was in the same shrinker, for the same node and cgroup; most in {}.",
            count(total.overlapped),
            share(total.overlapped, total.calls),
            shrinkers.shrinkers.iter().max_by_key(|row| row.counts.overlapped).map_or("?", |row| row.name.as_str())
        );
        page.paragraph("  ", "  ", &text);
    }
    for (counts, whose) in [(shrinkers.other, ""), (shrinkers.removed, " for cgroups that are gone")] {
        if counts.calls > 0 {
            let text = format!(
                "{} calls{whose}, {} in all, have no row in the ledger: they are in the sums alone.",
                count(counts.calls),
                span(counts.ns() / 1000)
            );
            page.paragraph("  ", "  ", &text);
        }
    }
}

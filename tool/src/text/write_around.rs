// SPDX-License-Identifier: GPL-2.0
//! Draws what the helper did with the dirty file folios that reclaim met.

use super::{
    available,
    figures::{books, share, spread, state, step},
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, mib, percent},
    report::{Report, WriteAroundSection},
};

/// Draws the folios by what became of them, windows, times, devices and the books.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("WRITE-AROUND", "(dirty file folios that reclaim met)");
    let Some(around) = available(page, &report.write_around) else { return };
    let state = state(around.state, "write_around");
    // Folios that reclaim met before the interval may have been written or cleaned in it.
    let quiet = [around.met_folios, around.pending_folios_before, around.written_folios, around.clean.targets];
    if quiet == [0; 4] {
        page.line(&format!("  State: {state}; reclaim met none."));
    } else {
        page.line(&format!("  State: {state}."));
        folios(page, around);
        page.line("");
        for line in [windows(around), pages(around, report.machine.page_size), times(around), freed(around)] {
            page.paragraph("  ", "    ", &line);
        }
        page.paragraph(
            "  ",
            "    ",
            &format!("Reclaim was told {} times that waiting is worth it.{}", count(around.waits), pace(around)),
        );
    }
    devices(page, around);
    books(page, &around.books);
}

/// Draws two steps: first what was met and queued, then what was queued and written. Only what happened gets a row.
fn folios(page: &mut Page, around: &WriteAroundSection) {
    let mut met = vec![("queued", around.queued_folios), ("met again while queued", around.merged_folios)];
    met.extend(around.not_queued.iter().map(|(why, n)| (why.label(), *n)));
    step(page, "<what became of those met", ("all met", around.met_folios), met);
    let before = around.pending_folios_before;
    let all = if before == 0 { "all queued" } else { "all queued, and pending before" };
    let mut queued = vec![("written", around.written_folios), ("pending at the end", around.pending_folios)];
    queued.extend(around.not_written.iter().map(|(why, n)| (why.label(), *n)));
    page.line("");
    step(page, "<what became of those queued", (all, around.queued_folios.saturating_add(before)), queued);
}

fn windows(around: &WriteAroundSection) -> String {
    let per = |n: Option<f64>, of: &str| n.map_or(String::new(), |n| format!(", {n:.1} pages per {of}"));
    let errors = match around.errors {
        0 => "none failed".into(),
        errors => format!("{} FAILED", count(errors)),
    };
    format!(
        "Windows: {}{}; {} calls to write them, {errors}; {} bios{}.",
        count(around.windows),
        per(around.pages_per_window, "window"),
        count(around.ranges),
        count(around.bios),
        per(around.pages_per_bio, "bio"),
    )
}

fn pages(around: &WriteAroundSection, page_size: u64) -> String {
    let all = around.target_pages.saturating_add(around.other_pages);
    if all == 0 {
        return "Pages written: none.".into();
    }
    format!(
        "Pages written: {} ({}), {} ({}) asked for, {} ({}) around them.",
        count(all),
        mib(all.saturating_mul(page_size)),
        count(around.target_pages),
        share(around.target_pages, all),
        count(around.other_pages),
        share(around.other_pages, all),
    )
}

fn times(around: &WriteAroundSection) -> String {
    let clean = &around.clean;
    let Some(mean) = clean.mean_us else { return "From met to clean: no target came out of writeback.".into() };
    format!(
        "From met to clean: {} ({} targets).",
        spread(mean, clean.p50_below_us, clean.p99_below_us),
        count(clean.targets),
    )
}

fn freed(around: &WriteAroundSection) -> String {
    let freed = &around.freed;
    let unwatched = match freed.unwatched {
        0 => String::new(),
        n => format!("; no room to watch {} more", count(n)),
    };
    let share = freed.share.map_or("-".into(), percent);
    format!(
        "Freed within a second of being clean: {share}, {} of {} watched{unwatched}.",
        count(freed.within_1s),
        count(freed.watched)
    )
}

fn devices(page: &mut Page, around: &WriteAroundSection) {
    if around.devices.is_empty() {
        return;
    }
    let mut table =
        Table::new(&["<device", "queued", "written", "windows", "pending", "pages in flight", "at most", "<state"]);
    for row in &around.devices {
        let star = if row.restarted { "*" } else { "" };
        table.row(vec![
            format!("{}{star}", row.device),
            cell(row.queued_folios),
            cell(row.written_folios),
            cell(row.windows),
            cell(row.pending_folios),
            cell(row.inflight_pages),
            cell(row.budget_pages),
            if row.stuck { "STUCK" } else { "answers" }.into(),
        ]);
    }
    page.line("");
    page.table(&table);
    if around.devices.iter().any(|row| row.restarted) {
        page.paragraph("  ", "  ", "(* counted anew within the interval: some of it is missing)");
    }
}

/// How long it takes to write a page, if this is known.
fn pace(around: &WriteAroundSection) -> String {
    let known = around.ns_per_page.iter().filter(|(_, ns)| **ns > 0);
    let say =
        |(node, ns): (&u64, &u64)| format!(" A page of node {node} took {:.1} us to be written.", *ns as f64 / 1e3);
    known.map(say).collect::<Vec<_>>().concat()
}

// SPDX-License-Identifier: GPL-2.0
//! What reclaim handed to the writers, and what they made of it.

use super::{
    available,
    figures::{books, share, spread, state, step},
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, mib, mib_number, percent, span, us},
    names::{Origin, Policy},
    report::{HandoffRow, HandoffSection, Report},
};

/// Who handed off and who waited, what the writers did, devices, and the books.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("HANDOFF", "(swap-out by a writer instead of the reclaimer)");
    let Some(handoff) = available(page, &report.handoff) else { return };
    let head = format!("State: {}; policy {}", state(handoff.state, "handoff"), policy(handoff.policy, report));
    let page_size = report.machine.page_size;
    // What was handed over before the interval may still have been written in it.
    let met = handoff.origins.iter().any(|row| row.met() > 0);
    if met || handoff.pending_folios_before > 0 || handoff.written_folios > 0 {
        page.paragraph("  ", "    ", &format!("{head}."));
        origins(page, handoff);
        waits(page, handoff);
        page.line("");
        page.paragraph("  ", "    ", &instead(handoff, page_size));
        page.line("");
        written(page, handoff);
        page.line("");
        for line in [queued(handoff), requests(handoff, page_size)] {
            page.paragraph("  ", "    ", &line);
        }
    } else {
        page.paragraph("  ", "    ", &format!("{head}; reclaim asked for none."));
        // It waits for the writeback of others, too.
        waits(page, handoff);
    }
    devices(page, handoff, page_size);
    books(page, &handoff.books);
}

/// The policy with the floor it goes by, if that is known.
fn policy(policy: Policy, report: &Report) -> String {
    let floor = report.module.params.get("handoff_floor").and_then(|floor| floor.parse().ok());
    let floor = match (policy, floor) {
        (Policy::LowHeadroom, Some(floor)) => format!(" ({} bytes)", count(floor)),
        _ => String::new(),
    };
    format!("{}, {}{floor}", policy.key(), policy.label())
}

/// Folios by what reclaim was told, each time it met them. Only what happened gets a row.
fn origins(page: &mut Page, handoff: &HandoffSection) {
    let mut table = Table::new(&["<origin", "<folios it would have written", "times", "share", "pages"]);
    table.say_once(0);
    for row in &handoff.origins {
        let later = row.later.iter().map(|(why, n)| (format!("later: {}", why.label()), *n, String::new()));
        let refused = row.refused.iter().map(|(why, n)| (format!("left to it: {}", why.label()), *n, String::new()));
        let handed = ("handed to the writer".to_owned(), row.handed_folios, count(row.handed_pages));
        for (what, n, pages) in std::iter::once(handed).chain(later).chain(refused).filter(|(_, n, _)| *n > 0) {
            table.row(vec![row.origin.label().into(), what, count(n), share(n, row.met()), pages]);
        }
    }
    if !table.is_empty() {
        page.table(&table);
    }
}

/// Who was told that waiting is worth it, and who waited: for the writers or for others.
fn waits(page: &mut Page, handoff: &HandoffSection) {
    let mut table = Table::new(&["<origin", "told to wait", "waits for writeback", "in all", "each time"]);
    for row in handoff.origins.iter().filter(|row| row.waits > 0 || row.throttled > 0) {
        let each = row.throttled_us.checked_div(row.throttled);
        table.row(vec![
            row.origin.label().into(),
            cell(row.waits),
            cell(row.throttled),
            if row.throttled == 0 { "-".into() } else { span(row.throttled_us) },
            each.map_or("-".into(), us),
        ]);
    }
    if !table.is_empty() {
        page.line("");
        page.table(&table);
    }
}

/// Who would have written what was handed over, and what direct reclaim wrote all the same.
fn instead(handoff: &HandoffSection, page_size: u64) -> String {
    let handed = |origin| handoff.of(origin).map_or(0, |row: &HandoffRow| row.handed_pages);
    let direct = handed(Origin::Direct);
    let kswapd = match handed(Origin::Kswapd) {
        0 => String::new(),
        pages => format!(", and {} pages of kswapd's", count(pages)),
    };
    let own = match handoff.of(Origin::Direct).map(|row| (row.own_pages, row.own_share)) {
        Some((Some(pages), Some(of))) => {
            format!(" Direct reclaim wrote {} pages itself, {} of its swap-out.", count(pages), percent(of))
        }
        Some((Some(_), None)) => " Direct reclaim wrote nothing itself.".into(),
        _ => " What direct reclaim wrote itself is not known.".into(),
    };
    format!(
        "{} pages ({}) that direct reclaim would have written on its own stack were handed to the writer{kswapd}.{own}",
        count(direct),
        mib(direct.saturating_mul(page_size)),
    )
}

fn written(page: &mut Page, handoff: &HandoffSection) {
    let before = handoff.pending_folios_before;
    let all = if before == 0 { "all handed over" } else { "all handed over, and pending before" };
    let mut parts = vec![("written", handoff.written_folios), ("pending at the end", handoff.pending_folios)];
    parts.extend(handoff.not_written.iter().map(|(why, n)| (why.label(), *n)));
    step(page, "<what became of those handed over", (all, handoff.handed_folios.saturating_add(before)), parts);
}

fn queued(handoff: &HandoffSection) -> String {
    let queued = &handoff.queued;
    match queued.mean_us {
        Some(mean) => format!(
            "From handed over to written or not: {} ({} folios).",
            spread(mean, queued.p50_below_us, queued.p99_below_us),
            count(queued.count)
        ),
        None => "From handed over to written or not: no folio was decided.".into(),
    }
}

fn requests(handoff: &HandoffSection, page_size: u64) -> String {
    let per = |n: Option<f64>, of: &str| n.map_or(String::new(), |n| format!(", {n:.1} pages per {of}"));
    let requests = &handoff.requests;
    let took = requests.mean_us.map_or(String::new(), |mean| {
        format!(" A request took {}.", spread(mean, requests.p50_below_us, requests.p99_below_us))
    });
    let errors = match handoff.request_errors {
        0 => "none failed".into(),
        errors => format!("{} FAILED", count(errors)),
    };
    format!(
        "Pages written: {} ({}). Batches: {}{}; requests: {}{}, {errors}; the writer woke {} times.{took}",
        count(handoff.written_pages),
        mib(handoff.written_pages.saturating_mul(page_size)),
        count(handoff.batches),
        per(handoff.pages_per_batch, "batch"),
        count(requests.count),
        per(handoff.pages_per_request, "request"),
        count(handoff.wakeups),
    )
}

/// What each device did, then what it is allowed.
fn devices(page: &mut Page, handoff: &HandoffSection, page_size: u64) {
    if handoff.devices.is_empty() {
        return;
    }
    let mut did = Table::new(&["<device", "handed over", "written", "pending", "MiB/s", "quickest request", "<state"]);
    let mut may = Table::new(&["<pages at the end", "in flight", "at most", "as the reserves go", "may wait"]);
    for row in &handoff.devices {
        let star = if row.restarted { "*" } else { "" };
        did.row(vec![
            format!("{}{star}", row.device),
            cell(row.handed_folios),
            cell(row.written_folios),
            cell(row.pending_folios),
            row.pages_per_s.map_or("?".into(), |pages| mib_number(pages.saturating_mul(page_size))),
            row.request_ns.map_or("?".into(), |ns| us(ns / 1000)),
            if row.stuck { "STUCK" } else { "answers" }.into(),
        ]);
        may.row(vec![
            row.device.clone(),
            cell(row.inflight_pages),
            cell(row.limit_pages),
            row.reserve_pages.map_or("no limit".into(), count),
            cell(row.room_pages),
        ]);
    }
    page.line("");
    page.table(&did);
    if handoff.devices.iter().any(|row| row.restarted) {
        page.paragraph("  ", "  ", "(* counted anew within the interval: some of it is missing)");
    }
    page.line("");
    page.table(&may);
}

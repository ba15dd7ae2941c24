// SPDX-License-Identifier: GPL-2.0
//! What reclaim handed to the writers, the waits for room, and what the writers did with it.

use super::{
    available,
    figures::{bound, mean_time, request_books, share, spread, state},
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, mib, mib_number, percent, span, us},
    names::{Origin, Parameter, Policy},
    report::{HandoffRow, HandoffSection, Report},
};

/// Draws what was handed over, the waits, what the writers did, the devices and the books.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("HANDOFF", "(swap-out by a writer instead of the reclaimer)");
    let Some(handoff) = available(page, &report.handoff) else { return };
    let head = format!("State: {}; policy {}", state(handoff.state, "handoff"), policy(handoff.policy, report));
    let page_size = report.machine.page_size;
    // Requests that were handed over before the interval may have been submitted in it.
    let prepared = handoff.origins.iter().any(|row| row.prepared() > 0);
    if prepared || handoff.pending_requests_before > 0 || handoff.written_requests > 0 {
        page.paragraph("  ", "    ", &format!("{head}."));
        origins(page, handoff);
        waits(page, handoff);
        throttled(page, handoff);
        page.line("");
        for line in [instead(handoff, page_size), written(handoff, page_size), queued(handoff), requests(handoff)] {
            page.paragraph("  ", "    ", &line);
        }
    } else {
        page.paragraph("  ", "    ", &format!("{head}; reclaim asked for none."));
        // Reclaim waits for the writeback of others, too.
        throttled(page, handoff);
    }
    devices(page, handoff, page_size);
    request_books(page, &handoff.books);
}

/// The policy, with the floor that it uses, if that is known.
fn policy(policy: Policy, report: &Report) -> String {
    let floor = report.module.params.get(Parameter::HandoffFloor.name()).and_then(|floor| floor.parse().ok());
    let floor = match (policy, floor) {
        (Policy::LowHeadroom, Some(floor)) => format!(" ({} bytes)", count(floor)),
        _ => String::new(),
    };
    format!("{}, {}{floor}", policy.key(), policy.label())
}

/// Draws the requests by what became of them. Only what happened gets a row.
fn origins(page: &mut Page, handoff: &HandoffSection) {
    let mut table = Table::new(&["<origin", "<swap-out that it prepared", "requests", "share", "pages"]);
    table.say_once(0);
    for row in &handoff.origins {
        let left = row.refused.iter().map(|(why, n)| (format!("left to it: {}", why.label()), *n, String::new()));
        let handed = ("handed to the writer".to_owned(), row.handed_requests, count(row.handed_pages));
        for (what, n, pages) in std::iter::once(handed).chain(left).filter(|(_, n, _)| *n > 0) {
            table.row(vec![row.origin.label().into(), what, count(n), share(n, row.prepared()), pages]);
        }
    }
    if !table.is_empty() {
        page.table(&table);
    }
}

/// Draws the waits for room after requests were handed over.
fn waits(page: &mut Page, handoff: &HandoffSection) {
    if handoff.handed_requests == 0 {
        return;
    }
    page.line("");
    if handoff.waits.count == 0 {
        page.line("  Nobody waited for room at a device.");
        return;
    }
    let mut table = Table::new(&["<origin", "waits for room", "in all", "mean", "half below", "99% below"]);
    for row in handoff.origins.iter().filter(|row| row.waits.count > 0) {
        table.row(vec![
            row.origin.label().into(),
            count(row.waits.count),
            span(row.waits_us),
            row.waits.mean_us.map_or("-".into(), mean_time),
            bound(&row.waits, row.waits.p50_below_us),
            bound(&row.waits, row.waits.p99_below_us),
        ]);
    }
    page.table(&table);
}

/// Draws the waits of reclaim for writeback, by the writers or by others.
fn throttled(page: &mut Page, handoff: &HandoffSection) {
    let mut table = Table::new(&["<origin", "waits for writeback", "in all", "each time"]);
    for row in handoff.origins.iter().filter(|row| row.throttled > 0) {
        let each = row.throttled_us.checked_div(row.throttled);
        table.row(vec![
            row.origin.label().into(),
            count(row.throttled),
            span(row.throttled_us),
            each.map_or("-".into(), us),
        ]);
    }
    if !table.is_empty() {
        page.line("");
        page.table(&table);
    }
}

/// How much the writers submitted for direct reclaim and for others, and how much direct reclaim submitted itself.
fn instead(handoff: &HandoffSection, page_size: u64) -> String {
    let handed = |origin| handoff.of(origin).map_or(0, |row: &HandoffRow| row.handed_pages);
    let (direct, kswapd) = (handed(Origin::Direct), handed(Origin::Kswapd));
    let rest = handoff.handed_pages.saturating_sub(direct).saturating_sub(kswapd);
    let others: Vec<String> = [(kswapd, "kswapd's"), (rest, "others'")]
        .into_iter()
        .filter(|(pages, _)| *pages > 0)
        .map(|(pages, whose)| format!(", and {} pages of {whose}", count(pages)))
        .collect();
    let own = match handoff.of(Origin::Direct).map(|row| (row.own_pages, row.own_share)) {
        Some((Some(pages), Some(of))) if pages > 0 => {
            format!(" Direct reclaim submitted {} pages itself, {} of its swap-out.", count(pages), percent(of))
        }
        Some((Some(_), _)) => " Direct reclaim submitted nothing itself.".into(),
        _ => " What direct reclaim submitted itself is not known.".into(),
    };
    format!(
        "{} pages ({}) that direct reclaim would have submitted on its own stack were handed to the writer{}.{own}",
        count(direct),
        mib(direct.saturating_mul(page_size)),
        others.concat(),
    )
}

fn per(n: Option<f64>, of: &str) -> String {
    n.map_or(String::new(), |n| format!(", {n:.1} pages per {of}"))
}

fn written(handoff: &HandoffSection, page_size: u64) -> String {
    let pending = match handoff.pending_requests {
        0 => "none was pending at the end".into(),
        n => format!("{} were pending at the end", count(n)),
    };
    format!(
        "The writer submitted {} requests of {} pages ({}), in {} batches{}; {pending}. It woke {} times.",
        count(handoff.written_requests),
        count(handoff.written_pages),
        mib(handoff.written_pages.saturating_mul(page_size)),
        count(handoff.batches),
        per(handoff.pages_per_batch, "batch"),
        count(handoff.wakeups),
    )
}

fn queued(handoff: &HandoffSection) -> String {
    let queued = &handoff.queued;
    match queued.mean_us {
        Some(mean) => {
            format!("From handoff to submission: {}.", spread(mean, queued.p50_below_us, queued.p99_below_us))
        }
        None => "From handoff to submission: no request was submitted.".into(),
    }
}

fn requests(handoff: &HandoffSection) -> String {
    let requests = &handoff.requests;
    let took = requests.mean_us.map_or(String::new(), |mean| {
        format!(" One took {}.", spread(mean, requests.p50_below_us, requests.p99_below_us))
    });
    let errors = match handoff.request_errors {
        0 => "none failed".into(),
        errors => format!("{} FAILED", count(errors)),
    };
    let pages = per(handoff.pages_per_request, "request");
    format!("Requests done: {}{pages}, {errors}.{took}", count(requests.count))
}

/// Draws what each device did, then how much is under way and how much may be.
fn devices(page: &mut Page, handoff: &HandoffSection, page_size: u64) {
    if handoff.devices.is_empty() {
        return;
    }
    let mut did = Table::new(&["<device", "handed over", "written", "pending", "MiB/s", "quickest request", "<state"]);
    let mut may =
        Table::new(&["<pages at the end", "in all", "submitted", "at most", "by the reserves", "tasks waiting"]);
    for row in &handoff.devices {
        let star = if row.restarted { "*" } else { "" };
        did.row(vec![
            format!("{}{star}", row.device),
            cell(row.handed_requests),
            cell(row.written_requests),
            cell(row.pending_requests),
            row.pages_per_s.map_or("?".into(), |pages| mib_number(pages.saturating_mul(page_size))),
            row.request_ns.map_or("?".into(), |ns| us(ns / 1000)),
            if row.late { "LATE" } else { "answers" }.into(),
        ]);
        may.row(vec![
            row.device.clone(),
            cell(row.inside_pages),
            cell(row.inflight_pages),
            cell(row.limit_pages),
            row.reserve_pages.map_or("no limit".into(), count),
            cell(row.waiting),
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

// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb stalls`: the longest stalls, each with a small breakdown.

use super::{
    layout::{Page, Table},
    nbd::phases,
};
use crate::{
    container,
    format::{count, percent, span},
    ledger::{Stall, total},
    longest::{Kept, Longest},
};

/// Draws the stalls, the longest first.
pub fn render(longest: &Longest, width: usize) -> String {
    let mut page = Page::new(width.max(super::MIN_WIDTH));
    let shown = longest.stalls.len();
    let of = if longest.source == "recording" { "of the recording" } else { "since the module was loaded" };
    let of = match &longest.narrowed {
        Some(narrowed) => format!("of {}, {of}", narrowed.words()),
        None => of.to_owned(),
    };
    let head = match shown {
        0 if longest.of_all => format!("None of the longest stalls that are kept is {of}."),
        shown if longest.of_all => format!(
            "{} of the longest stalls that are kept {of}, longest first; how many there were is not counted by task.",
            count(shown as u64)
        ),
        0 => format!("No stall {of}."),
        1 if longest.of == 1 => format!("The one stall {of}."),
        shown if shown as u64 == longest.of => format!("All {} stalls {of}, longest first.", count(longest.of)),
        shown => format!("The longest {} of {} stalls {of}.", count(shown as u64), count(longest.of)),
    };
    page.paragraph("", "  ", &head);
    if longest.timed == Some(false) {
        page.paragraph("! ", "  ", "Stalls are not timed now (parameter stalls).");
    }
    if let Some(lost) = longest.lost_events.filter(|lost| *lost > 0) {
        let text = format!("{} events were lost while recording: there may have been longer ones.", count(lost));
        page.paragraph("! ", "  ", &text);
    }
    for (rank, kept) in (1..).zip(&longest.stalls) {
        page.line("");
        one(&mut page, rank, kept);
    }
    page.finish()
}

fn one(page: &mut Page, rank: u64, kept: &Kept) {
    let stall = &kept.stall;
    let head = format!(
        "{}  {}[{}], {}, began at {:.3} s",
        span(stall.ns / 1000),
        stall.task,
        stall.pid,
        stall.origin.label(),
        stall.began_ns as f64 / 1e9
    );
    page.paragraph(&format!("{rank:>2}. "), "    ", &head);
    let cgroup = match (&kept.cgroup_path, stall.cgroup) {
        (Some(path), _) => container::shown(path),
        (None, 0) => "none".into(),
        (None, id) => format!("id {id}"),
    };
    let asked = format!("order {}, gfp {}, node {}, cgroup {cgroup}", stall.order, stall.gfp, stall.node);
    page.paragraph("    ", "      ", &asked);
    let pages = format!(
        "scanned {} pages, freed {}; inactive pages of files {}, others {}, dirty {}",
        count(stall.scanned_pages),
        count(stall.freed_pages),
        count(stall.inactive_file_pages),
        count(stall.inactive_anon_pages),
        count(stall.dirty_pages)
    );
    page.paragraph("    ", "      ", &pages);
    parts(page, stall);
    let waited = total(stall.nbd_ns.values().copied());
    if waited > 0 {
        let text = format!("for NBD requests it waited {}: {}", span(waited / 1000), phases(&stall.nbd_ns, waited));
        page.paragraph("    ", "      ", &text);
    }
}

/// Draws what its time went to, the largest part first.
fn parts(page: &mut Page, stall: &Stall) {
    let mut parts: Vec<_> = stall.parts_ns.iter().filter(|(_, ns)| **ns > 0).collect();
    parts.sort_by_key(|(_, ns)| std::cmp::Reverse(**ns));
    let mut table = Table::new(&["<  time went to", "in all", "share"]);
    for (cause, ns) in &parts {
        let share = percent(**ns as f64 / stall.ns.max(1) as f64);
        table.row(vec![format!("  {}", cause.label()), span(**ns / 1000), share]);
    }
    let lengths: Vec<u64> = parts.iter().map(|(_, ns)| **ns).collect();
    table.bars(&lengths, stall.ns);
    if !table.is_empty() {
        page.table(&table);
    }
}

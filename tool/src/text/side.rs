// SPDX-License-Identifier: GPL-2.0
//! Draws what reclaim does to others: interrupts for TLB flushes, and metadata of filesystems that must be read again.

use super::{
    available,
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, percent, span},
    ledger::{Bitmaps, GroupState},
    names::Flush,
    report::Report,
};

/// Draws how often other CPUs were interrupted.
pub fn tlb(page: &mut Page, report: &Report) {
    page.heading("TLB FLUSHES", "how often reclaim interrupted other CPUs");
    let Some(tlb) = available(page, &report.tlb) else {
        return;
    };
    if tlb.origins.is_empty() {
        page.paragraph(
            "  ",
            "  ",
            match tlb.state {
                GroupState::Off => "Not counted unless asked for (parameter tlb): it is a hot path.",
                _ => "No other CPU was interrupted.",
            },
        );
        return;
    }
    if tlb.state == GroupState::Off {
        page.paragraph("  ", "  ", "They are not counted now (parameter tlb).");
    }
    let mut table = Table::new(&["<origin", "<for", "asked", "interrupts", "time", "interrupts per"]);
    table.say_once(0);
    for row in &tlb.origins {
        for (flush, n) in &row.flushes {
            let time = if n.counts.ns == 0 { "-".into() } else { span(n.counts.ns / 1000) };
            let of = if *flush == Flush::Dirty { "dirty folio" } else { "page freed" };
            let per = n.ipis_per_page.map_or("-".into(), |per| format!("{per:.2} {of}"));
            let origin = row.origin.label().into();
            table.row(vec![origin, flush.label().into(), cell(n.counts.asked), cell(n.counts.ipis), time, per]);
        }
    }
    page.table(&table);
}

/// Draws which pages of block devices were evicted and read again.
pub fn metadata(page: &mut Page, report: &Report) {
    page.heading("FILESYSTEM METADATA", "pages of block devices that reclaim evicted, and that were read again");
    let Some(metadata) = available(page, &report.metadata) else {
        return;
    };
    if metadata.devices.is_empty() {
        page.paragraph(
            "  ",
            "  ",
            match metadata.state {
                GroupState::Off => "Not counted unless asked for (parameter metadata): it is a hot path.",
                _ => "None was evicted.",
            },
        );
        return;
    }
    if metadata.state == GroupState::Off {
        page.paragraph("  ", "  ", "It is not counted now (parameter metadata).");
    }
    let mut table = Table::new(&["<device", "evicted", "read again", "share", "block bitmaps", "inode bitmaps"]);
    // How many of the bitmaps that were read had been read before.
    let bitmaps = |read: Option<Bitmaps>| match read {
        None => "?".into(),
        Some(Bitmaps { reads: 0, .. }) => "-".into(),
        Some(read) => format!("{} of {}", count(read.reread), count(read.reads)),
    };
    for row in &metadata.devices {
        table.row(vec![
            row.device.clone(),
            cell(row.evicted_pages),
            cell(row.reread_pages),
            row.reread_share.map_or("-".into(), percent),
            bitmaps(row.block_bitmaps),
            bitmaps(row.inode_bitmaps),
        ]);
    }
    page.table(&table);
    if metadata.devices.iter().any(|row| row.block_bitmaps.is_some_and(|b| b.reads > 0)) {
        let text = "Bitmaps: how many of those that ext4 read had been read before, with reclaim in between.";
        page.paragraph("  ", "  ", text);
    }
    if metadata.forgotten_folios > 0 {
        let text = format!(
            "Folios that were forgotten before they could be read again, because more were evicted than are \
             remembered: {}.",
            count(metadata.forgotten_folios)
        );
        page.paragraph("  ", "  ", &text);
    }
}

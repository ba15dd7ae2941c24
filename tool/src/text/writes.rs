// SPDX-License-Identifier: GPL-2.0
//! Draws tables of what wrote which pages.

use std::collections::BTreeSet;

use super::{
    available,
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, folio_size, mib_number, percent},
    names::{Kind, Type},
    report::{OriginRow, Report, WritesSection},
};

/// Draws the origins, what became of the writes, the sizes of folios, the nodes and the books.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("WHO WROTE", "(pages; a window is one pass of reclaim in one task)");
    let Some(writes) = available(page, &report.writes) else { return };
    let rows: Vec<&OriginRow> = writes.active().collect();
    if rows.is_empty() {
        page.line("  Nobody: no window, no write.");
        return;
    }
    origins(page, writes, &rows);
    if writes.pages > 0 {
        kinds(page, writes);
        ends(page, writes);
        orders(page, &rows, report.machine.page_size);
        nodes(page, &rows);
    }
    books(page, report);
}

fn origins(page: &mut Page, writes: &WritesSection, rows: &[&OriginRow]) {
    let handed = writes.writer_pages > 0;
    let titles = ["<origin", "windows", "freed", "written", "handed over", "MiB", "share", "anon", "shmem"];
    let titles: Vec<&str> = titles.into_iter().filter(|title| handed || *title != "handed over").collect();
    let mut table = Table::new(&titles);
    let with_handed = |mut cells: Vec<String>, pages: u64| {
        if handed {
            cells.insert(4, cell(pages));
        }
        cells
    };
    let known = |n: Option<u64>| n.map_or("?".into(), cell);
    let type_of = |row: &OriginRow, t| row.types.get(&t).copied().unwrap_or(0);
    for row in rows {
        let cells = vec![
            row.origin.label().into(),
            known(row.windows),
            known(row.freed_pages),
            cell(row.pages),
            if row.pages == 0 { "-".into() } else { mib_number(row.bytes) },
            if row.pages == 0 { "-".into() } else { percent(row.share) },
            cell(type_of(row, Type::Anon)),
            cell(type_of(row, Type::Shmem)),
        ];
        table.row(with_handed(cells, row.handed_pages));
    }
    if rows.len() > 1 {
        let all = |t| writes.types.get(&t).copied().unwrap_or(0);
        let cells = vec![
            "all".into(),
            known(writes.windows),
            known(writes.freed_pages),
            cell(writes.pages),
            mib_number(writes.bytes),
            String::new(),
            cell(all(Type::Anon)),
            cell(all(Type::Shmem)),
        ];
        table.total(with_handed(cells, writes.writer_pages));
    }
    page.table(&table);
}

fn kinds(page: &mut Page, writes: &WritesSection) {
    let mut header = vec!["<what became of it"];
    header.extend(Kind::ALL.iter().map(|kind| kind.label()));
    header.push("pages/bio");
    let mut table = Table::new(&header);
    // An origin that writes nothing may submit what others wrote.
    for row in writes.origins.iter().filter(|row| row.pages > 0 || row.pages_per_bio.is_some()) {
        let mut cells = vec![row.origin.label().to_owned()];
        cells.extend(Kind::ALL.iter().map(|kind| cell(row.kinds.get(kind).copied().unwrap_or(0))));
        cells.push(row.pages_per_bio.map_or("-".into(), |n| format!("{n:.1}")));
        table.row(cells);
    }
    let mut cells = vec!["share of all".to_owned()];
    cells.extend(Kind::ALL.iter().map(|kind| match writes.kinds.get(kind).copied().unwrap_or(0) {
        0 => "-".into(),
        pages => percent(pages as f64 / writes.pages as f64),
    }));
    cells.push("-".into());
    table.total(cells);
    let none = table.drop_empty();
    page.line("");
    page.table(&table);
    if !none.is_empty() {
        page.paragraph("  ", "  ", &format!("(none: {})", none.join(", ")));
    }
}

/// Draws what devices did not write, and what zswap wrote back.
fn ends(page: &mut Page, writes: &WritesSection) {
    for row in &writes.failed_devices {
        let text = format!(
            "{} did not do {} writes, of {} pages: they stay in memory.",
            row.device,
            count(row.failed.requests),
            count(row.failed.pages)
        );
        page.paragraph("  ", "    ", &text);
    }
    let Some(zswap) = &writes.zswap_writeback else { return };
    let mut by: Vec<String> =
        zswap.pages.iter().filter(|(_, n)| **n > 0).map(|(o, n)| format!("{} by {}", count(*n), o.label())).collect();
    if zswap.worker_pages > 0 {
        by.insert(0, format!("{} by its worker", count(zswap.worker_pages)));
    }
    if !by.is_empty() {
        let failed = match zswap.failed_pages {
            0 => String::new(),
            n => format!("; the device failed to write {} of it", count(n)),
        };
        let text =
            format!("Beside that zswap wrote back to the device, on whose stack, in pages: {}{failed}.", by.join(", "));
        page.paragraph("  ", "    ", &text);
    }
}

fn orders(page: &mut Page, rows: &[&OriginRow], page_size: u64) {
    let used: BTreeSet<u32> =
        rows.iter().flat_map(|row| row.orders.iter().filter(|(_, n)| **n > 0).map(|(order, _)| *order)).collect();
    page.line("");
    if used.iter().all(|order| *order == 0) {
        page.line("  All folios written were single pages.");
        return;
    }
    let sizes: Vec<String> = used.iter().map(|order| folio_size(*order, page_size)).collect();
    let mut header = vec!["<folios by size"];
    header.extend(sizes.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for row in rows.iter().filter(|row| row.folios > 0) {
        let mut cells = vec![row.origin.label().to_owned()];
        cells.extend(used.iter().map(|order| cell(row.orders.get(order).copied().unwrap_or(0))));
        table.row(cells);
    }
    page.table(&table);
}

fn nodes(page: &mut Page, rows: &[&OriginRow]) {
    let ids: BTreeSet<u32> = rows.iter().flat_map(|row| row.nodes.keys().copied()).collect();
    if ids.len() < 2 {
        return;
    }
    let names: Vec<String> = ids.iter().map(|id| format!("node {id}")).collect();
    let mut header = vec!["<pages by node"];
    header.extend(names.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for row in rows.iter().filter(|row| row.pages > 0) {
        let mut cells = vec![row.origin.label().to_owned()];
        cells.extend(ids.iter().map(|id| cell(row.nodes.get(id).copied().unwrap_or(0))));
        table.row(cells);
    }
    page.line("");
    page.table(&table);
}

fn books(page: &mut Page, report: &Report) {
    let Some(books) = report.books.as_ref().filter(|books| !books.is_empty()) else { return };
    let mut table = Table::new(&["<the books", "recorded", "kernel", "off by", "<kernel's counter"]);
    for book in books {
        let off = if book.difference == 0 { "-".into() } else { format!("{:+}", book.difference) };
        table.row(vec![book.what.into(), count(book.recorded), count(book.kernel), off, book.counter.into()]);
    }
    page.line("");
    page.table(&table);
}

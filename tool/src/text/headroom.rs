// SPDX-License-Identifier: GPL-2.0
//! Draws how much stack was left.

use std::collections::BTreeSet;

use super::{
    available,
    figures::mark,
    layout::{Page, Table},
};
use crate::{
    format::{cell, count, mean},
    names::{Layer, Origin},
    report::{HeadroomRow, HeadroomSection, Report},
};

/// At most this many origins have a histogram.
const DRAWN: usize = 2;

/// Draws the headroom by origin and layer, and histograms of the deepest origins.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("STACK HEADROOM", "(bytes; from the top of the stack down)");
    let Some(headroom) = available(page, &report.headroom) else { return };
    if headroom.rows.is_empty() {
        page.line("  No stack was sampled.");
    } else {
        table(page, headroom);
        page.line("");
        for origin in headroom.origins_by_depth().into_iter().take(page.at_most(DRAWN)) {
            histogram(page, headroom, origin);
        }
    }
    for (layer, why) in &headroom.unavailable_layers {
        page.paragraph("  ", "  ", &format!("Not sampled: {} ({why}).", layer.label()));
    }
}

fn table(page: &mut Page, headroom: &HeadroomSection) {
    page.paragraph(
        "  ",
        "  ",
        &format!(
            "A stack has {} bytes. The last columns are the bytes used by the step from the sample point above, in \
             the same window.",
            count(headroom.stack_size)
        ),
    );
    let mut table = Table::new(&["<origin", "<sampled at", "samples", "min left", "mean used", "<step", "mean", "max"]);
    table.say_once(0);
    for row in &headroom.rows {
        table.row(vec![
            row.origin.label().into(),
            row.layer.label().into(),
            count(row.samples),
            count(row.min_left) + mark(row.min_is_new),
            mean(row.mean_used),
            row.layer.step().into(),
            row.step_mean.map_or("-".into(), mean),
            row.step_max.map_or("-".into(), |max| count(max) + mark(row.step_max_is_new)),
        ]);
    }
    page.table(&table);
}

/// Draws the samples of one origin by bytes left: a column for each layer, and bars for the lowest layer.
fn histogram(page: &mut Page, headroom: &HeadroomSection, origin: Origin) {
    let rows: Vec<&HeadroomRow> = headroom.rows.iter().filter(|row| row.origin == origin).collect();
    let Some(lowest) = rows.iter().max_by_key(|row| row.layer) else { return };
    let buckets: BTreeSet<u64> = rows.iter().flat_map(|row| row.histogram.keys().copied()).collect();
    let most = lowest.histogram.values().copied().max().unwrap_or(0);
    let (Some(low), Some(high)) = (buckets.first(), buckets.last()) else { return };
    if low == high {
        let (from, to) = (count(*low), count(end(*low, headroom.stack_size)));
        page.line(&format!("  {}: all samples left {from} to {to} bytes.", origin.label()));
        return;
    }

    let layers: Vec<Layer> = rows.iter().map(|row| row.layer).collect();
    let mut header = vec!["bytes left"];
    header.extend(layers.iter().map(|layer| layer.key()));
    let mut table = Table::new(&header);
    let mut lengths = Vec::new();
    // Empty buckets in between are shown, because a gap is part of the distribution.
    for bucket in bounds().filter(|bucket| (low..=high).contains(&bucket)).collect::<Vec<_>>().into_iter().rev() {
        let mut cells = vec![format!("{} - {}", count(bucket), count(end(bucket, headroom.stack_size)))];
        cells.extend(rows.iter().map(|row| cell(row.histogram.get(&bucket).copied().unwrap_or(0))));
        table.row(cells);
        lengths.push(lowest.histogram.get(&bucket).copied().unwrap_or(0));
    }
    table.bars(&lengths, most);
    page.line(&format!("  {}: samples by bytes left (bars: {})", origin.label(), lowest.layer.label()));
    page.table(&table);
}

/// Lower bounds of the ledger's buckets.
fn bounds() -> impl Iterator<Item = u64> {
    std::iter::once(0).chain((6..=15).map(|shift| 1 << shift))
}

/// The upper end of a bucket, which is at most the size of the stack.
fn end(bucket: u64, stack_size: u64) -> u64 {
    let end = if bucket == 0 { 63 } else { bucket * 2 - 1 };
    end.min(stack_size.max(bucket))
}

// SPDX-License-Identifier: GPL-2.0
//! How much stack was left: a histogram for each layer, with the floor marked.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Figure, Palette, Series, Unit, cells, legend, percent, saying, scale, series, sheet};
use crate::{
    format::count,
    html::table::{Cell, Column},
    names::{Layer, Origin},
    report::HeadroomSection,
};

/// Pixels of a layer's columns, and of what is above and below them.
const HEIGHT: u64 = 70;
const ABOVE: u64 = 34;
const PANEL: u64 = ABOVE + HEIGHT + 26;

type Samples = BTreeMap<Origin, u64>;

/// Draws the histograms; `floor` is the parameter `headroom_floor`. `None` if no stack was sampled.
pub fn headroom(section: &HeadroomSection, floor: Option<u64>, palette: &Palette<Origin>) -> Option<Markup> {
    let mut layers: BTreeMap<Layer, BTreeMap<u64, Samples>> = BTreeMap::new();
    let mut totals = Samples::new();
    for row in &section.rows {
        for (&bucket, &n) in &row.histogram {
            *layers.entry(row.layer).or_default().entry(bucket).or_default().entry(row.origin).or_default() += n;
            *totals.entry(row.origin).or_default() += n;
        }
    }
    if totals.values().all(|n| *n == 0) {
        return None;
    }
    let series = series(&totals, palette, Origin::label);
    let buckets = buckets(section.stack_size);
    let least = section.deepest().map_or(0, |row| row.min_left);
    let label = format!(
        "Samples by bytes of stack left, for each of {} layers; the least left is {} of {}",
        layers.len(),
        count(least),
        count(section.stack_size)
    );
    let drawing = html! {
        svg.chart height=(PANEL * layers.len() as u64 + 6) role="img" aria-label=(label) {
            @for (i, (layer, found)) in layers.iter().enumerate() {
                @let top = PANEL * i as u64;
                (panel(section, *layer, found, &series, &buckets, top))
                @if let Some(floor) = floor { (mark(floor, &buckets, top, i == 0)) }
            }
        }
    };
    let mut figures = sheet("layer", &series);
    figures.columns[0].number = false;
    figures.columns.insert(1, Column { name: "bytes left, from".into(), number: true });
    for (layer, found) in &layers {
        for (bucket, samples) in found {
            let mut row = cells(Cell::new(count(*bucket)), &series, samples, Unit::Samples);
            row.insert(0, Cell::word(layer.label()));
            figures.rows.push(row);
        }
    }
    let mut notes = vec![
        "The height of a column is its number of samples; each layer has its own scale. Further to the left, less \
         stack was left."
            .to_owned(),
    ];
    notes.push(match floor {
        Some(floor) => format!("The dashed line is the parameter headroom_floor, {} bytes.", count(floor)),
        None => "The parameter headroom_floor is not known: its place is not marked.".into(),
    });
    Some(
        Figure {
            id: "chart-headroom",
            title: "Stack left",
            notes,
            legend: legend(&series, Unit::Samples),
            drawing,
            figures,
        }
        .render(),
    )
}

/// Lower bounds of the ledger's buckets. The last element is the size of a stack, which is the end of the last bucket.
fn buckets(stack_size: u64) -> Vec<u64> {
    let mut buckets: Vec<u64> =
        std::iter::once(0).chain((6..=15).map(|shift| 1 << shift).take_while(|low| *low < stack_size)).collect();
    buckets.push(stack_size);
    buckets
}

/// The position of a number of bytes on the axis, 0 to 1. All buckets have the same width.
fn place(bytes: u64, buckets: &[u64]) -> f64 {
    let wide = 1.0 / (buckets.len() - 1).max(1) as f64;
    let Some(i) = buckets.windows(2).position(|ends| (ends[0]..ends[1]).contains(&bytes)) else { return 1.0 };
    (i as f64 + (bytes - buckets[i]) as f64 / (buckets[i + 1] - buckets[i]) as f64) * wide
}

fn panel(
    section: &HeadroomSection,
    layer: Layer,
    found: &BTreeMap<u64, Samples>,
    series: &[Series<Origin>],
    buckets: &[u64],
    top: u64,
) -> Markup {
    let sum = |samples: &Samples| series.iter().fold(0_u64, |sum, one| sum.saturating_add(one.of(samples)));
    let most = found.values().map(sum).max().unwrap_or(0).max(1);
    let least = section.rows.iter().filter(|row| row.layer == layer).map(|row| row.min_left).min().unwrap_or(0);
    let wide = 1.0 / (buckets.len() - 1).max(1) as f64;
    let floor = top + ABOVE + HEIGHT;
    html! {
        text.name x="0" y=(top + 14) { (layer.label()) }
        text.mark x="100%" y=(top + 14) text-anchor="end" { "least left " (count(least)) }
        line.grid x1="0" x2="100%" y1=(floor) y2=(floor) {}
        @for low in &buckets[..buckets.len() - 1] {
            text.mark x=(percent(place(*low, buckets))) y=(floor + 14) text-anchor="start" { (bytes(*low)) }
        }
        @for (low, samples) in found {
            @let x = place(*low, buckets);
            @let high = (HEIGHT as f64 * sum(samples) as f64 / most as f64).max(2.0);
            g {
                title { (saying(&format!("{}: {} bytes left and more", layer.label(), count(*low)), series, samples, Unit::Samples)) }
                (stack(samples, series, (percent(x + wide * 0.04), percent(wide * 0.92)), high, floor as f64))
                text.mark x=(percent(x + wide / 2.0)) y=(format!("{:.1}", floor as f64 - high - 4.0)) text-anchor="middle" { (scale::number(sum(samples))) }
            }
        }
    }
}

/// A column for one bucket, which is `high` pixels high.
fn stack(samples: &Samples, series: &[Series<Origin>], (x, width): (String, String), high: f64, floor: f64) -> Markup {
    let all = series.iter().fold(0_u64, |sum, one| sum.saturating_add(one.of(samples))).max(1) as f64;
    let mut below = 0.0;
    let parts = series.iter().filter_map(|one| {
        let part = high * one.of(samples) as f64 / all;
        below += part;
        (part > 0.0).then(|| (one.class(), format!("{:.2}", floor - below), format!("{part:.2}")))
    });
    html! {
        @for (class, y, height) in parts { rect class=(class) x=(x) width=(width) y=(y) height=(height) {} }
    }
}

fn mark(floor: u64, buckets: &[u64], top: u64, says: bool) -> Markup {
    let x = percent(place(floor, buckets));
    html! {
        line.limit x1=(x) x2=(x) y1=(top + ABOVE - 10) y2=(top + ABOVE + HEIGHT + 4) {}
        @if says {
            text.limit x=(x) dx="4" y=(top + ABOVE) { "floor " (count(floor)) }
        }
    }
}

/// A short form of a number of bytes: 512, 2K.
fn bytes(n: u64) -> String {
    if n < 1024 { n.to_string() } else { format!("{}K", n / 1024) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let buckets = buckets(16_384);
        assert_eq!(buckets, [0, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384]);
        for (bytes, place_of_18) in [(0, 0.0), (64, 2.0), (3072, 13.0), (16_384, 18.0)] {
            assert!((place(bytes, &buckets) * 18.0 - place_of_18).abs() < 1e-9, "{bytes}");
        }
    }
}

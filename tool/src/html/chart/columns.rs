// SPDX-License-Identifier: GPL-2.0
//! Stacked columns over time.

use maud::{Markup, html};

use super::{Series, Unit, cells, percent, saying, scale, sheet};
use crate::html::{
    table::{Cell, Sheet},
    timeline::Bins,
};

/// Pixels of the area in which columns are.
const HEIGHT: u64 = 200;

/// Pixels above this area, for the names of marks.
const ABOVE: u64 = 18;

/// Stacked columns, one for each bin of time.
pub struct Columns<'a, K> {
    /// What the chart shows, for readers who cannot see it.
    pub label: String,
    /// The amounts.
    pub bins: &'a Bins<K>,
    /// The parts of each column, the lowest first.
    pub series: &'a [Series<K>],
    /// What they count.
    pub unit: Unit,
    /// Moments that are marked.
    pub marks: &'a [Mark],
}

/// A moment that is marked in all charts over time.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Where on the axis, from 0 to 1.
    pub at: f64,
    /// The label of the mark.
    pub name: String,
    /// What it means.
    pub says: String,
}

/// Draws the columns. Returns the drawing and its figures.
pub fn columns<K: Copy + Ord>(of: &Columns<K>) -> (Markup, Sheet) {
    let Columns { bins, series, unit, .. } = of;
    let count = bins.bins.len() as f64;
    let most = bins.bins.iter().map(|amounts| total(series, amounts)).max().unwrap_or(0);
    let marks = scale::marks(most, 4);
    let top = marks.last().copied().unwrap_or(1);
    let drawing = html! {
        div.axis {
            svg.chart height=(HEIGHT + 40) role="img" aria-label=(of.label) {
                @for mark in &marks {
                    @let y = y(*mark, top);
                    text.mark x="-8" y=(format!("{:.1}", y + 4.0)) text-anchor="end" { (unit.short(*mark)) }
                    line.grid x1="0" x2="100%" y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
                }
                @for (i, amounts) in bins.bins.iter().enumerate() {
                    @if total(series, amounts) > 0 { (column(of, i, amounts, top)) }
                }
                (times(bins.width, count))
                @for mark in of.marks { (self::mark(mark)) }
            }
        }
    };
    let mut figures = sheet("from", series);
    for (i, amounts) in bins.bins.iter().enumerate() {
        if total(series, amounts) > 0 {
            let from = bins.width.saturating_mul(i as u64);
            let first = Cell { text: time(from), worth: Some(from as f64) };
            figures.rows.push(cells(first, series, amounts, *unit));
        }
    }
    (drawing, figures)
}

type Amounts<K> = std::collections::BTreeMap<K, u64>;

fn total<K: Copy + Ord>(series: &[Series<K>], amounts: &Amounts<K>) -> u64 {
    series.iter().fold(0, |sum, one| sum.saturating_add(one.of(amounts)))
}

/// Pixels from the top.
fn y(n: u64, top: u64) -> f64 {
    let height = HEIGHT as f64;
    ABOVE as f64 + height - height * n as f64 / top.max(1) as f64
}

fn column<K: Copy + Ord>(of: &Columns<K>, i: usize, amounts: &Amounts<K>, top: u64) -> Markup {
    let count = of.bins.bins.len() as f64;
    let (x, width) = (percent(i as f64 / count), percent(1.0 / count));
    let from = of.bins.width.saturating_mul(i as u64);
    let what = format!("{} to {}", time(from), time(from.saturating_add(of.bins.width)));
    let mut below = 0_u64;
    let parts = of.series.iter().filter_map(|one| {
        let n = one.of(amounts);
        let (bottom, upper) = (y(below, top), y(below.saturating_add(n), top));
        below = below.saturating_add(n);
        (n > 0).then(|| (one.class(), format!("{upper:.2}"), format!("{:.2}", bottom - upper)))
    });
    html! {
        g {
            title { (saying(&what, of.series, amounts, of.unit)) }
            // This makes it possible to point at small columns, too.
            rect.hit x=(x) width=(width) y=(ABOVE) height=(HEIGHT) {}
            @for (class, y, height) in parts { rect class=(class) x=(x) width=(width) y=(y) height=(height) {} }
        }
    }
}

/// A line across the columns, with its name above.
fn mark(mark: &Mark) -> Markup {
    let x = percent(mark.at);
    let anchor = if mark.at < 0.03 {
        "start"
    } else if mark.at > 0.97 {
        "end"
    } else {
        "middle"
    };
    html! {
        g.change {
            title { (mark.says) }
            line.limit x1=(x) x2=(x) y1=(ABOVE) y2=(ABOVE + HEIGHT) {}
            text.limit x=(x) y=(ABOVE - 4) text-anchor=(anchor) { (mark.name) }
        }
    }
}

/// The axis below the columns.
fn times(width: u64, count: f64) -> Markup {
    let all = width as f64 * count;
    // No recording is 500 years long, so this fits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let marks = scale::marks(all as u64, 5);
    html! {
        @for mark in marks.iter().filter(|mark| **mark as f64 <= all) {
            @let at = *mark as f64 / all;
            @let anchor = if at < 0.03 { "start" } else if at > 0.97 { "end" } else { "middle" };
            line.tick x1=(percent(at)) x2=(percent(at)) y1=(ABOVE + HEIGHT) y2=(ABOVE + HEIGHT + 5) {}
            text.mark x=(percent(at)) y=(ABOVE + HEIGHT + 20) text-anchor=(anchor) { (scale::time(*mark)) }
        }
    }
}

/// A time since the beginning.
pub fn time(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns % 1_000_000_000 / 1_000_000)
}

// SPDX-License-Identifier: GPL-2.0
//! Stacked bars, one below the other, each under its name.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Series, Unit, cells, percent, saying, sheet};
use crate::html::table::{Cell, Sheet};

/// Pixels of a bar and its name.
const ROW: usize = 46;

/// A bar.
pub struct Bar<K> {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub parts: BTreeMap<K, u64>,
}

/// Draws bars, where a full bar stands for `most`. `limit` is a value that is marked, and what it is. Returns the
/// drawing and its figures.
pub fn bars<K: Copy + Ord>(
    label: &str,
    rows: &[Bar<K>],
    series: &[Series<K>],
    unit: Unit,
    most: u64,
    limit: Option<&(u64, String)>,
) -> (Markup, Sheet) {
    let share = |n: u64| n as f64 / most.max(1) as f64;
    let total = |row: &Bar<K>| series.iter().fold(0_u64, |sum, one| sum.saturating_add(one.of(&row.parts)));
    let height = rows.len() * ROW + if limit.is_some() { 18 } else { 0 };
    let drawing = html! {
        svg.chart height=(height) role="img" aria-label=(label) {
            @for (i, row) in rows.iter().enumerate() {
                g {
                    title { (saying(&row.name, series, &row.parts, unit)) }
                    text.name x="0" y=(i * ROW + 16) { (row.name) }
                    text.mark x="100%" y=(i * ROW + 16) text-anchor="end" { (unit.text(total(row))) }
                    rect.empty x="0" y=(i * ROW + 22) width="100%" height="18" {}
                    (parts(row, series, i * ROW + 22, share))
                }
            }
            @if let Some((at, what)) = limit {
                @let x = percent(share(*at).min(1.0));
                line.limit x1=(x) x2=(x) y1="20" y2=(rows.len() * ROW) {}
                text.limit x=(x) y=(rows.len() * ROW + 12) text-anchor=(if share(*at) > 0.5 { "end" } else { "start" }) { (what) }
            }
        }
    };
    let mut figures = sheet("<", series);
    figures.rows = rows.iter().map(|row| cells(Cell::word(row.name.clone()), series, &row.parts, unit)).collect();
    (drawing, figures)
}

fn parts<K: Copy + Ord>(row: &Bar<K>, series: &[Series<K>], y: usize, share: impl Fn(u64) -> f64) -> Markup {
    let mut before = 0_u64;
    let parts = series.iter().filter_map(|one| {
        let (n, x) = (one.of(&row.parts), share(before));
        before = before.saturating_add(n);
        (n > 0).then(|| (one.class(), percent(x), percent(share(n).min(1.0 - x).max(0.0))))
    });
    html! {
        @for (class, x, width) in parts { rect class=(class) x=(x) width=(width) y=(y) height="18" {} }
    }
}

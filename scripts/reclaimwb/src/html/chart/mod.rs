// SPDX-License-Identifier: GPL-2.0
//! Charts, drawn as SVG so that they need no script. Positions across are percentages: a chart is as wide as the page,
//! and its letters are as large on a telephone.

mod bars;
mod columns;
mod headroom;
mod scale;

use std::{collections::BTreeMap, fmt::Write as _};

use maud::{Markup, html};

pub use bars::{Bar, bars};
pub use columns::{Columns, columns};
pub use headroom::headroom;
pub use scale::round_up;

use super::table::{Cell, Sheet};
use crate::format::{count, span};

/// Sorts with a colour of their own; the rest are drawn as one.
const OWN_COLOUR: usize = 7;

/// What a chart counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// Pages.
    Pages,
    /// Bytes.
    Bytes,
    /// Samples.
    Samples,
}

impl Unit {
    /// An amount, in full.
    pub fn text(self, n: u64) -> String {
        match self {
            Self::Time => span(n / 1000),
            Self::Pages => format!("{} pages", count(n)),
            Self::Bytes => format!("{} bytes", count(n)),
            Self::Samples => format!("{} samples", count(n)),
        }
    }

    /// The same beside an axis.
    fn short(self, n: u64) -> String {
        if self == Self::Time { scale::time(n) } else { scale::number(n) }
    }
}

/// A sort of what is drawn, or several that have one colour.
#[derive(Clone, Debug)]
pub struct Series<K> {
    label: String,
    keys: Vec<K>,
    /// The number of its colour.
    colour: usize,
    total: u64,
}

/// Sorts by how much there is of them, most first; beyond those with a colour of their own as one.
pub fn series<K: Copy + Ord>(totals: &BTreeMap<K, u64>, label: impl Fn(K) -> &'static str) -> Vec<Series<K>> {
    let mut sorts: Vec<(K, u64)> = totals.iter().map(|(key, n)| (*key, *n)).filter(|(_, n)| *n > 0).collect();
    sorts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let rest = sorts.split_off(sorts.len().min(OWN_COLOUR));
    let mut series: Vec<Series<K>> = sorts
        .into_iter()
        .enumerate()
        .map(|(colour, (key, total))| Series { label: label(key).to_owned(), keys: vec![key], colour, total })
        .collect();
    if !rest.is_empty() {
        let names: Vec<&str> = rest.iter().map(|(key, _)| label(*key)).collect();
        let label =
            if names.len() == 1 { names.concat() } else { format!("{} others: {}", names.len(), names.join(", ")) };
        let total = rest.iter().fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
        series.push(Series { label, keys: rest.into_iter().map(|(key, _)| key).collect(), colour: OWN_COLOUR, total });
    }
    series
}

/// The same sorts with the same colours, of other amounts; without those of which there is nothing.
pub fn like<K: Copy + Ord>(series: &[Series<K>], totals: &BTreeMap<K, u64>) -> Vec<Series<K>> {
    let like = series.iter().map(|one| Series { total: one.of(totals), ..one.clone() });
    like.filter(|one| one.total > 0).collect()
}

impl<K: Copy + Ord> Series<K> {
    /// How much of these amounts it is.
    fn of(&self, amounts: &BTreeMap<K, u64>) -> u64 {
        self.keys.iter().filter_map(|key| amounts.get(key)).fold(0, |sum, n| sum.saturating_add(*n))
    }

    fn class(&self) -> String {
        format!("s{}", self.colour)
    }

    /// Its name where there is little room.
    fn short(&self) -> &str {
        self.label.split_once(": ").map_or(self.label.as_str(), |(short, _)| short)
    }
}

/// Everything around a drawing: what it shows, its legend before and its figures behind it.
pub struct Figure<'a> {
    /// What it is called in links.
    pub id: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What one has to know to read it.
    pub notes: Vec<String>,
    /// Its legend.
    pub legend: Markup,
    /// The drawing.
    pub drawing: Markup,
    /// Its figures.
    pub figures: Sheet,
}

impl Figure<'_> {
    /// Draws it.
    pub fn render(&self) -> Markup {
        html! {
            figure id=(self.id) {
                figcaption { h3 { (self.title) } }
                (self.legend)
                (self.drawing)
                @for note in &self.notes { p.note { (note) } }
                details.figures {
                    summary { "Figures of this chart" }
                    (self.figures.render(self.title))
                }
            }
        }
    }
}

/// The legend of series, each with its part of the whole.
pub fn legend<K>(series: &[Series<K>], unit: Unit) -> Markup {
    html! {
        ul.legend {
            @for one in series {
                li { (swatch(one.colour)) " " (one.label) " " span.amount { (unit.text(one.total)) } }
            }
        }
    }
}

/// The same without amounts: where these add up to nothing that means anything.
pub fn legend_of_names<K>(series: &[Series<K>]) -> Markup {
    html! { ul.legend { @for one in series { li { (swatch(one.colour)) " " (one.label) } } } }
}

fn swatch(colour: usize) -> Markup {
    html! { svg width="12" height="12" aria-hidden="true" { rect class=(format!("s{colour}")) width="12" height="12" {} } }
}

/// Puts series into the order of what they are, instead of that of how much there is of them.
pub fn in_order<K: Copy + Ord>(series: &mut [Series<K>]) {
    series.sort_by_key(|one| one.keys.first().copied());
    for (colour, one) in series.iter_mut().enumerate() {
        one.colour = colour;
    }
}

/// What is said of one bar: each part that there is, after what it is.
fn saying<K: Copy + Ord>(what: &str, series: &[Series<K>], amounts: &BTreeMap<K, u64>, unit: Unit) -> String {
    let mut text = what.to_owned();
    for one in series {
        let n = one.of(amounts);
        if n > 0 {
            // Writing to a string does not fail.
            let _ = write!(text, "\n{}: {}", one.short(), unit.text(n));
        }
    }
    text
}

/// A row of a chart's figures.
fn cells<K: Copy + Ord>(first: Cell, series: &[Series<K>], amounts: &BTreeMap<K, u64>, unit: Unit) -> Vec<Cell> {
    let amount = |n: u64| match (n, unit) {
        (0, _) => Cell::new("-"),
        (n, Unit::Time) => Cell { text: span(n / 1000), worth: Some(n as f64) },
        (n, _) => Cell { text: count(n), worth: Some(n as f64) },
    };
    let all = series.iter().fold(0_u64, |sum, one| sum.saturating_add(one.of(amounts)));
    std::iter::once(first).chain(series.iter().map(|one| amount(one.of(amounts)))).chain([amount(all)]).collect()
}

/// The columns of a chart's figures.
fn sheet<K>(first: &str, series: &[Series<K>]) -> Sheet
where
    K: Copy + Ord,
{
    let mut names = vec![first];
    names.extend(series.iter().map(Series::short));
    names.push("all");
    Sheet::new(&names)
}

/// A percentage as an attribute.
fn percent(share: f64) -> String {
    format!("{:.3}%", share * 100.0)
}

// SPDX-License-Identifier: GPL-2.0
//! Charts, drawn as SVG so that they need no script. Horizontal positions are percentages, so that a chart is as wide
//! as the page and its text has the same size on a telephone.

mod bars;
mod columns;
mod flame;
mod headroom;
mod scale;

use std::{collections::BTreeMap, fmt::Write as _};

use maud::{Markup, html};

pub use bars::{Bar, bars};
pub use columns::{Columns, Mark, columns, time as moment};
pub use flame::flame;
pub use headroom::headroom;
pub use scale::round_up;

use super::table::{Cell, Sheet};
use crate::format::{count, span};

/// At most this many kinds have a colour of their own. The rest are drawn as one.
const OWN_COLOUR: usize = 8;

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

    /// A short form, for an axis.
    fn short(self, n: u64) -> String {
        if self == Self::Time { scale::time(n) } else { scale::number(n) }
    }
}

/// One kind of what is drawn, or several kinds that have one colour.
#[derive(Clone, Debug)]
pub struct Series<K> {
    label: String,
    keys: Vec<K>,
    /// The number of its colour.
    colour: usize,
    total: u64,
}

/// The colour of each kind in all charts of a page.
#[derive(Clone, Debug)]
pub struct Palette<K>(BTreeMap<K, usize>);

impl<K: Copy + Ord> Palette<K> {
    /// Makes the palette from the totals of all charts. The largest kinds have a colour of their own.
    pub fn new(totals: &BTreeMap<K, u64>) -> Self {
        Self(most(totals).into_iter().take(OWN_COLOUR).enumerate().map(|(colour, (key, _))| (key, colour)).collect())
    }

    /// The CSS class of a kind's colour.
    pub fn class(&self, key: K) -> String {
        format!("s{}", self.0.get(&key).copied().unwrap_or(OWN_COLOUR))
    }
}

/// The kinds that are not 0, the largest first.
fn most<K: Copy + Ord>(totals: &BTreeMap<K, u64>) -> Vec<(K, u64)> {
    let mut sorts: Vec<(K, u64)> = totals.iter().map(|(key, n)| (*key, *n)).filter(|(_, n)| *n > 0).collect();
    sorts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    sorts
}

/// The kinds in one chart, the largest first. As many as there are colours stand alone, and the rest are added up as
/// one. A kind has the same colour in each chart. Only a kind that is among the largest in this chart alone takes a
/// colour that this chart does not use.
pub fn series<K: Copy + Ord>(
    totals: &BTreeMap<K, u64>,
    palette: &Palette<K>,
    label: impl Fn(K) -> &'static str,
) -> Vec<Series<K>> {
    let mut sorts = most(totals);
    let rest = sorts.split_off(sorts.len().min(OWN_COLOUR));
    let taken: Vec<usize> = sorts.iter().filter_map(|(key, _)| palette.0.get(key).copied()).collect();
    let mut free = (0..OWN_COLOUR).filter(|colour| !taken.contains(colour));
    let mut series: Vec<Series<K>> = Vec::new();
    for (key, total) in sorts {
        let colour = palette.0.get(&key).copied().or_else(|| free.next()).unwrap_or(OWN_COLOUR);
        series.push(Series { label: label(key).to_owned(), keys: vec![key], colour, total });
    }
    if !rest.is_empty() {
        let names: Vec<&str> = rest.iter().map(|(key, _)| label(*key)).collect();
        let label =
            if names.len() == 1 { names.concat() } else { format!("{} others: {}", names.len(), names.join(", ")) };
        let total = rest.iter().fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
        series.push(Series { label, keys: rest.into_iter().map(|(key, _)| key).collect(), colour: OWN_COLOUR, total });
    }
    series
}

impl<K: Copy + Ord> Series<K> {
    /// The sum of its kinds in these amounts.
    fn of(&self, amounts: &BTreeMap<K, u64>) -> u64 {
        self.keys.iter().filter_map(|key| amounts.get(key)).fold(0, |sum, n| sum.saturating_add(*n))
    }

    fn class(&self) -> String {
        format!("s{}", self.colour)
    }

    /// Its short name, for places with little room.
    fn short(&self) -> &str {
        self.label.split_once(": ").map_or(self.label.as_str(), |(short, _)| short)
    }
}

/// A drawing with its title, its legend before it, and notes and figures after it.
pub struct Figure<'a> {
    /// Its name in links.
    pub id: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What a reader has to know to understand it.
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

/// The legend of the series, each with its total.
pub fn legend<K>(series: &[Series<K>], unit: Unit) -> Markup {
    html! {
        ul.legend {
            @for one in series {
                li { (swatch(one.colour)) " " (one.label) " " span.amount { (unit.text(one.total)) } }
            }
        }
    }
}

/// The same without totals, for amounts whose sum means nothing.
pub fn legend_of_names<K>(series: &[Series<K>]) -> Markup {
    html! { ul.legend { @for one in series { li { (swatch(one.colour)) " " (one.label) } } } }
}

fn swatch(colour: usize) -> Markup {
    html! { svg width="12" height="12" aria-hidden="true" { rect class=(format!("s{colour}")) width="12" height="12" {} } }
}

/// Sorts the series by their keys instead of their totals.
pub fn in_order<K: Copy + Ord>(series: &mut [Series<K>]) {
    series.sort_by_key(|one| one.keys.first().copied());
    for (colour, one) in series.iter_mut().enumerate() {
        one.colour = colour;
    }
}

/// The text for one bar: what it is, and each of its parts.
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

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

    fn label(key: usize) -> &'static str {
        NAMES[key]
    }

    /// A kind that is small in all charts together, but large in one of them, has its own band there.
    #[test]
    fn the_largest_of_the_chart_itself() {
        // In all charts together, the first eight are the largest. In this chart, the last ones are.
        let all: BTreeMap<usize, u64> = (0..12).map(|key| (key, 1_000_000 - key as u64)).collect();
        let own: BTreeMap<usize, u64> = (0..12).map(|key| (key, 10 * (key as u64 + 1))).collect();
        let palette = Palette::new(&all);
        let series = series(&own, &palette, label);
        let labels: Vec<&str> = series.iter().map(|one| one.label.as_str()).collect();
        assert_eq!(labels, ["l", "k", "j", "i", "h", "g", "f", "e", "4 others: d, c, b, a"]);
        // None of the eight that have a band is smaller than one of the others.
        assert_eq!(series[8].total, 10 + 20 + 30 + 40);
        let mut colours: Vec<usize> = series.iter().map(|one| one.colour).collect();
        // A kind that has a colour keeps it, and no two kinds have the same.
        assert_eq!(colours[4..8], [7, 6, 5, 4]);
        colours.sort_unstable();
        assert_eq!(colours, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn one_that_is_left_is_called_by_its_name() {
        let totals: BTreeMap<usize, u64> = (0..9).map(|key| (key, 1)).chain([(9, 0)]).collect();
        let series = series(&totals, &Palette::new(&totals), label);
        assert_eq!((series.len(), series[8].label.as_str(), series[8].total), (9, "i", 1));
    }
}

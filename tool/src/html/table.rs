// SPDX-License-Identifier: GPL-2.0
//! Tables that can be sorted by a click on a column.

use maud::{Markup, html};

use super::number::worth;
use crate::text;

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it holds numbers.
    pub number: bool,
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Its value, if it is a number.
    pub worth: Option<f64>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that sum up the others, and stay at the end.
    pub totals: Vec<Vec<Cell>>,
    /// The length of the bar of each row, 0 to 1. Empty if there are no bars.
    pub bars: Vec<f64>,
}

impl Cell {
    /// A cell with a number or any other text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { worth: worth(&text), text }
    }

    /// A cell of text.
    pub fn word(text: impl Into<String>) -> Self {
        Self { text: text.into(), worth: None }
    }
}

impl Sheet {
    /// A table with these columns. Columns whose name begins with `<` hold text.
    pub fn new(names: &[&str]) -> Self {
        let column =
            |name: &&str| Column { name: name.trim_start_matches('<').to_owned(), number: !name.starts_with('<') };
        Self { columns: names.iter().map(column).collect(), ..Self::default() }
    }

    /// Draws the table. `label` describes it for readers who cannot see it.
    pub fn render(&self, label: &str) -> Markup {
        let row = |cells: &[Cell], bar: Option<f64>| {
            html! {
                tr {
                    @for (column, cell) in self.columns.iter().zip(cells) { (self::cell(column, cell)) }
                    @if let Some(length) = bar { td.bar { (self::bar(length)) } }
                }
            }
        };
        html! {
            // A reader without a mouse can scroll the table with the arrow keys.
            div.wrap role="region" aria-label=(label) tabindex="0" {
                table {
                    thead { tr {
                        @for column in &self.columns { th scope="col" class=[column.number.then_some("n")] { (column.name) } }
                        @if !self.bars.is_empty() { td.bar {} }
                    } }
                    tbody { @for (i, cells) in self.rows.iter().enumerate() { (row(cells, self.bars.get(i).copied())) } }
                    @if !self.totals.is_empty() {
                        tfoot { @for cells in &self.totals { (row(cells, None)) } }
                    }
                }
            }
        }
    }
}

fn cell(column: &Column, cell: &Cell) -> Markup {
    let text = cell.text.as_str();
    match cell.worth.filter(|_| column.number) {
        Some(worth) if worth.is_finite() => html! { td.n data-n=(worth) { (text) } },
        Some(_) => html! { td.n data-n="Infinity" { (text) } },
        // A line break is allowed in a word among numbers.
        None => html! { td { (text) } },
    }
}

/// A bar. If the length is not 0, at least a little of it is visible.
fn bar(length: f64) -> Markup {
    let percent = if length > 0.0 { (length * 100.0).clamp(0.5, 100.0) } else { 0.0 };
    html! {
        svg.length width="100%" height="10" aria-hidden="true" {
            rect.s0 width=(format!("{percent:.1}%")) height="10" {}
        }
    }
}

/// A table of the text report.
pub fn of_text(table: &text::Table) -> Sheet {
    let columns = table.header().map(|(name, left)| Column { name: name.to_owned(), number: !left });
    let cells = |row: &[String]| row.iter().map(|cell| Cell::new(cell.clone())).collect();
    let most = table.longest_bar().unwrap_or(0).max(1) as f64;
    Sheet {
        columns: columns.collect(),
        rows: table.body().map(|(row, _)| cells(row)).collect(),
        totals: table.totals().iter().map(|row| cells(row)).collect(),
        bars: table.body().filter_map(|(_, length)| Some(length? as f64 / most)).collect(),
    }
}

// SPDX-License-Identifier: GPL-2.0
//! All figures of `report --json` as tables, by general rules. A list of objects is a table, and so is an object of
//! objects, or one whose keys are numbers. Other objects become columns. A table inside of a row becomes a table of its
//! own, whose first columns identify the row.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::table::{Cell, Column, Sheet};
use crate::format::count;

/// Parts that are shown in full elsewhere.
const ELSEWHERE: [&str; 6] = ["format", "version", "tool", "summary", "notes", "stacks"];

/// A table has at most this many columns.
const WIDEST: usize = 12;

/// Draws the figures, by section.
pub fn render(report: &Value) -> Markup {
    let Value::Object(report) = report else { return html! {} };
    html! {
        @for (name, value) in report.iter().filter(|(name, value)| !ELSEWHERE.contains(&name.as_str()) && !value.is_null()) {
            details.figures {
                summary { (name) }
                @for (title, sheet) in tables(name, value) {
                    @if title != *name { h4 { (title) } }
                    (sheet.render(&title))
                }
            }
        }
    }
}

/// A row: the name of each column, and its cell.
type Row = Vec<(String, Cell)>;

/// Tables under construction, in the order of their first rows.
#[derive(Default)]
struct Tables {
    order: Vec<String>,
    rows: BTreeMap<String, Vec<Row>>,
}

impl Tables {
    fn push(&mut self, title: &str, row: Row) {
        if !self.rows.contains_key(title) {
            self.order.push(title.to_owned());
        }
        self.rows.entry(title.to_owned()).or_default().push(row);
    }
}

/// The tables of the value `name`, with their titles.
fn tables(name: &str, value: &Value) -> Vec<(String, Sheet)> {
    let mut tables = Tables::default();
    match value {
        Value::Object(map) if !is_table(map) => {
            let (mut row, mut inner) = (Row::new(), Vec::new());
            flatten("", map, &mut row, &mut inner);
            for (key, cell) in row {
                tables.push(name, vec![("figure".into(), Cell::word(key)), ("value".into(), cell)]);
            }
            for (key, value) in inner {
                list(&mut tables, &format!("{name}.{key}"), &Row::new(), value);
            }
        }
        value => list(&mut tables, name, &Row::new(), value),
    }
    let Tables { order, mut rows } = tables;
    let sheets = order.into_iter().filter_map(|title| rows.remove(&title).map(|rows| (title, sheet(rows))));
    sheets.flat_map(|(title, sheet)| parted(title, sheet)).collect()
}

/// Splits a table into tables that fit on a sheet of paper. Each of them begins with the columns that identify the
/// rows.
fn parted(title: String, sheet: Sheet) -> Vec<(String, Sheet)> {
    if sheet.columns.len() <= WIDEST {
        return vec![(title, sheet)];
    }
    let told_by = sheet.columns.iter().position(|column| column.number).unwrap_or(1).clamp(1, 3);
    let others: Vec<usize> = (told_by..sheet.columns.len()).collect();
    let parts = others.chunks(WIDEST - told_by);
    let count = parts.len();
    let part = |(i, columns): (usize, &[usize])| {
        let columns: Vec<usize> = (0..told_by).chain(columns.iter().copied()).collect();
        let pick = |row: &Vec<Cell>| columns.iter().map(|i| row[*i].clone()).collect();
        let part = Sheet {
            columns: columns.iter().map(|i| sheet.columns[*i].clone()).collect(),
            rows: sheet.rows.iter().map(pick).collect(),
            ..Sheet::default()
        };
        (format!("{title}, {} of {count}", i + 1), part)
    };
    parts.enumerate().map(part).collect()
}

/// Adds the rows of a table. Each begins with `of`, which identifies the row that it is in.
fn list(tables: &mut Tables, title: &str, of: &Row, value: &Value) {
    let elements: Vec<(Option<&String>, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (Some(key), value)).collect(),
        Value::Array(values) => values.iter().map(|value| (None, value)).collect(),
        _ => Vec::new(),
    };
    let last = title.rsplit('.').next().unwrap_or(title);
    for (i, (key, value)) in elements.into_iter().enumerate() {
        let mut row = of.clone();
        if let Some(key) = key {
            let cell = if key.parse::<u64>().is_ok() { Cell::new(key.clone()) } else { Cell::word(key.clone()) };
            row.push((format!("{last} "), cell));
        }
        let Value::Object(map) = value else {
            row.push(("value".into(), scalar(value)));
            tables.push(title, row);
            continue;
        };
        let (mut cells, mut inner) = (Row::new(), Vec::new());
        flatten("", map, &mut cells, &mut inner);
        // A row is identified by its key, or its first words, or its position.
        let mut id = row.clone();
        if key.is_none() {
            let words = cells.iter().take_while(|(_, cell)| cell.worth.is_none() && !cell.text.is_empty());
            id.extend(words.take(2).map(|(name, cell)| (format!("{last}.{name}"), cell.clone())));
            if id.len() == row.len() {
                id.push((last.to_owned(), Cell::new((i + 1).to_string())));
            }
        }
        row.extend(cells);
        tables.push(title, row);
        for (key, value) in inner {
            list(tables, &format!("{title}.{key}"), &id, value);
        }
    }
}

/// Puts the values that are not tables into `row`, and the tables into `inner`.
fn flatten<'a>(prefix: &str, map: &'a Map<String, Value>, row: &mut Row, inner: &mut Vec<(String, &'a Value)>) {
    for (key, value) in map {
        let name = format!("{prefix}{key}");
        match value {
            Value::Null => row.push((name, Cell::word(""))),
            Value::Object(map) if is_table(map) => inner.push((name, value)),
            Value::Object(map) => flatten(&format!("{name}."), map, row, inner),
            Value::Array(values) if values.is_empty() => {}
            Value::Array(values) if values.iter().all(|value| !value.is_object() && !value.is_array()) => {
                let words: Vec<String> = values.iter().map(|value| scalar(value).text).collect();
                row.push((name, Cell::word(words.join(", "))));
            }
            Value::Array(_) => inner.push((name, value)),
            value => row.push((name, scalar(value))),
        }
    }
}

/// Whether an object is a table, with a row for each key.
fn is_table(map: &Map<String, Value>) -> bool {
    !map.is_empty() && (map.values().all(Value::is_object) || map.keys().all(|key| key.parse::<u64>().is_ok()))
}

fn scalar(value: &Value) -> Cell {
    match value {
        Value::Number(number) => {
            Cell { text: number.as_u64().map_or_else(|| number.to_string(), count), worth: number.as_f64() }
        }
        Value::String(text) => Cell::word(text.clone()),
        Value::Bool(yes) => Cell::word(if *yes { "yes" } else { "no" }),
        _ => Cell::word(""),
    }
}

/// Makes one table of rows that may have different columns.
fn sheet(rows: Vec<Row>) -> Sheet {
    let mut columns: Vec<Column> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !columns.iter().any(|column| column.name == *name) {
            columns.push(Column { name: name.clone(), number: false });
        }
    }
    for column in &mut columns {
        let mut cells = rows.iter().flatten().filter(|(name, cell)| *name == column.name && !cell.text.is_empty());
        // If one cell is a word, the column is a column of words.
        column.number = cells.clone().next().is_some() && cells.all(|(_, cell)| cell.worth.is_some());
    }
    let cells = |row: Row| {
        let mut by_name: BTreeMap<String, Cell> = row.into_iter().collect();
        columns.iter().map(|column| by_name.remove(&column.name).unwrap_or_else(|| Cell::word(""))).collect()
    };
    Sheet { rows: rows.into_iter().map(cells).collect(), columns, ..Sheet::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(sheet: &Sheet) -> Vec<Vec<&str>> {
        let head = sheet.columns.iter().map(|column| column.name.trim()).collect();
        let rows = sheet.rows.iter().map(|row| row.iter().map(|cell| cell.text.as_str()).collect());
        std::iter::once(head).chain(rows).collect()
    }

    #[test]
    fn objects_lists_and_lists_in_lists() {
        let value = json!({
            "state": "on",
            "sum": {"a": 1234, "b": 0.5},
            "rows": [
                {"origin": "direct", "n": 1, "histogram": {"8": 2, "16": 3}, "parts": [{"part": "x", "ns": 7}]},
                {"origin": "kswapd", "on": true, "histogram": {}, "parts": []},
            ],
            "users": {"net": {"pages": 5}, "nbd": {"pages": 6}},
            "words": ["a", "b"],
        });
        let tables = tables("s", &value);
        let found: Vec<_> = tables.iter().map(|(title, sheet)| (title.as_str(), shown(sheet))).collect();
        let expected = [
            (
                "s",
                vec![
                    vec!["figure", "value"],
                    vec!["state", "on"],
                    vec!["sum.a", "1,234"],
                    vec!["sum.b", "0.5"],
                    vec!["words", "a, b"],
                ],
            ),
            ("s.rows", vec![vec!["origin", "n", "on"], vec!["direct", "1", ""], vec!["kswapd", "", "yes"]]),
            (
                "s.rows.histogram",
                vec![vec!["rows.origin", "histogram", "value"], vec!["direct", "8", "2"], vec!["direct", "16", "3"]],
            ),
            ("s.rows.parts", vec![vec!["rows.origin", "part", "ns"], vec!["direct", "x", "7"]]),
            ("s.users", vec![vec!["users", "pages"], vec!["net", "5"], vec!["nbd", "6"]]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn wide_ones_are_parted() {
        let row: Map<String, Value> = std::iter::once(("name".to_owned(), json!("x")))
            .chain((0..30).map(|i| (format!("n{i}"), json!(i))))
            .collect();
        let tables = tables("s", &json!([row]));
        let titles: Vec<&str> = tables.iter().map(|(title, _)| title.as_str()).collect();
        assert_eq!(titles, ["s, 1 of 3", "s, 2 of 3", "s, 3 of 3"]);
        let found: Vec<_> = tables.iter().map(|(_, sheet)| shown(sheet)).collect();
        assert!(found.iter().all(|rows| rows[0].len() <= WIDEST && rows[1][0] == "x"));
        assert_eq!(found.iter().map(|rows| rows[1].len() - 1).sum::<usize>(), 30);
    }
}

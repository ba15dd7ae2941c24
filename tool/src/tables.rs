// SPDX-License-Identifier: GPL-2.0
//! JSON as tables, for CSV. The schema decides which tables there are and what their columns are; the data does not. A
//! list of objects is a table, and so is an object whose keys are not names of fields. If a table is inside of a row of
//! another one, each of its rows begins with the columns that identify the outer row. All other fields are columns.

use std::{fs, path::Path};

use serde_json::{Map, Value};

use crate::{
    atomic,
    error::{Error, Result},
    schema,
};

/// Everybody may read the file, like text that is printed.
const MODE: u32 = 0o644;

/// Given instead of a name, this lists the names of all tables and their columns.
pub const LIST: &str = "list";

/// The table of the fields that are in no other table.
const ABOUT: &str = "about";

/// The columns that identify a row, for tables that contain other tables.
const TOLD_BY: [(&str, &[&str]); 23] = [
    ("writes.origins", &["origin"]),
    ("handoff.origins", &["origin"]),
    ("stalls.origins", &["origin"]),
    ("stalls.origins.causes", &["cause"]),
    ("stalls.causes", &["cause"]),
    ("stalls.cgroups", &["hierarchy", "id", "removed"]),
    ("stalls.longest", &["pid", "began_ns"]),
    ("waits.kinds", &["kind"]),
    ("waits.cgroups", &["cgroup"]),
    ("shrinkers.shrinkers", &["name"]),
    ("compaction.orders", &["order"]),
    ("metadata.devices", &["device"]),
    ("nbd.devices", &["device"]),
    ("nbd.devices.directions", &["direction"]),
    ("batches.origins", &["origin"]),
    ("kswapd.nodes", &["node"]),
    ("headroom.rows", &["origin", "layer"]),
    ("cgroups.groups", &["hierarchy", "id"]),
    ("tlb.origins", &["origin"]),
    ("stacks.worst", &["origin", "layer"]),
    // This one is of `reclaimwb stalls`.
    ("stalls", &["pid", "began_ns"]),
    ("reserves.zones", &["zone"]),
    ("write_around.devices", &["device"]),
];

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Where it is in the JSON: `stalls.origins.causes`.
    pub name: String,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Its rows. A cell is empty if its value is not known or not there.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The table as CSV (RFC 4180, with plain line ends). The first line has the names of the columns.
    pub fn csv(&self) -> Result<String> {
        csv_of(Some(&self.columns[..]), &self.rows)
    }
}

/// The rows as CSV, after a line with these names if there are any.
pub fn csv_of(columns: Option<&[impl AsRef<str>]>, rows: &[Vec<String>]) -> Result<String> {
    let failed = |err: csv::Error| Error::io("write", "CSV", err.into());
    let mut out = csv::Writer::from_writer(Vec::new());
    if let Some(columns) = columns {
        out.write_record(columns.iter().map(AsRef::as_ref)).map_err(failed)?;
    }
    for row in rows {
        out.write_record(row).map_err(failed)?;
    }
    let bytes = out.into_inner().map_err(|err| Error::io("write", "CSV", err.into_error()))?;
    // The input was text.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One table of what would be printed as JSON, chosen by its name, as CSV; or the list of all tables.
pub fn one(of: schema::Of, json: &Value, name: &str) -> Result<String> {
    let tables = all(of, json);
    if name == LIST {
        let row = |table: &Table, column: &String| vec![table.name.clone(), column.clone()];
        let rows: Vec<Vec<String>> =
            tables.iter().flat_map(|table| table.columns.iter().map(move |column| row(table, column))).collect();
        return csv_of(Some(&["table", "column"][..]), &rows);
    }
    let names = || tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ");
    let table = tables.iter().find(|table| table.name == name);
    let table =
        table.ok_or_else(|| Error::Options(format!("--csv: no table {name}; give list, or one of {}", names())))?;
    table.csv()
}

/// Writes all of them into a directory, each as NAME.csv. The directory is created if it does not exist.
pub fn write(of: schema::Of, json: &Value, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(|err| Error::io("make", dir, err))?;
    for table in all(of, json) {
        let text = table.csv()?;
        atomic::replace(&dir.join(format!("{}.csv", table.name)), Some(MODE), |out| out.write_all(text.as_bytes()))?;
    }
    Ok(())
}

/// All tables of what would be printed as JSON.
pub fn all(of: schema::Of, json: &Value) -> Vec<Table> {
    let mut tables = Tables { list: Vec::new() };
    if let Shape::Object(fields) = shape(&schema::of(of)) {
        let is_plain = |shape: &Shape| matches!(shape, Shape::Scalar);
        let (plain, sections): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(_, shape)| is_plain(shape));
        tables.objects(ABOUT, &plain, &[], &[(Vec::new(), json)]);
        for (name, shape) in &sections {
            let there = json.get(name).filter(|value| !value.is_null());
            let within: Vec<Found> = there.map(|value| (Vec::new(), value)).into_iter().collect();
            match shape {
                Shape::Object(fields) => tables.objects(name, fields, &[], &within),
                shape => tables.inner(name, shape, &[], &within),
            }
        }
    }
    tables.list
}

/// What a schema allows in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    /// Text, a number, yes or no.
    Scalar,
    /// An object with these fields.
    Object(Vec<(String, Shape)>),
    /// An object with any keys.
    Map(Box<Shape>),
    /// A list.
    List(Box<Shape>),
}

fn shape(root: &Value) -> Shape {
    shape_of(root, root.get("$defs").and_then(Value::as_object))
}

fn shape_of(schema: &Value, defs: Option<&Map<String, Value>>) -> Shape {
    let of = |schema: &Value| shape_of(schema, defs);
    let referred = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
    if let Some(schema) = referred.and_then(|name| defs?.get(name)) {
        return of(schema);
    }
    for any in ["anyOf", "oneOf"] {
        if let Some(options) = schema.get(any).and_then(Value::as_array) {
            return options.iter().map(of).fold(Shape::Scalar, either);
        }
    }
    if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
        return Shape::Object(fields.iter().map(|(name, schema)| (name.clone(), of(schema))).collect());
    }
    if let Some(items) = schema.get("items") {
        return Shape::List(Box::new(of(items)));
    }
    let values = schema.get("patternProperties").and_then(Value::as_object).and_then(|map| map.values().next());
    match values.or_else(|| schema.get("additionalProperties")).filter(|values| values.is_object()) {
        Some(values) => Shape::Map(Box::new(of(values))),
        None => Shape::Scalar,
    }
}

/// One or the other. Two objects give one with the fields of both.
fn either(a: Shape, b: Shape) -> Shape {
    match (a, b) {
        (Shape::Scalar, other) | (other, Shape::Scalar) => other,
        (Shape::Object(mut a), Shape::Object(b)) => {
            a.extend(b);
            Shape::Object(a)
        }
        (a, _) => a,
    }
}

/// A value, after the columns that identify the row it is in.
type Found<'a> = (Vec<String>, &'a Value);

/// Tables under construction.
struct Tables {
    list: Vec<Table>,
}

impl Tables {
    /// Adds a table with a row for each of these objects, and the tables inside of them.
    fn objects(&mut self, name: &str, fields: &[(String, Shape)], ids: &[String], found: &[Found]) {
        let (mut columns, mut inner) = (Vec::new(), Vec::new());
        flatten(&[], fields, &mut columns, &mut inner);
        let names: Vec<String> = columns.iter().map(|path| path.join(".")).collect();
        let rows = found.iter().map(|(ids, value)| {
            ids.iter().cloned().chain(columns.iter().map(|path| cell(at(value, path)))).collect::<Vec<_>>()
        });
        let header: Vec<String> = ids.iter().chain(&names).cloned().collect();
        let table = Table { name: name.to_owned(), columns: distinct(header, name), rows: rows.collect() };
        if !columns.is_empty() {
            self.list.push(table);
        }
        // A section may have the same name as a list, but it lacks the columns that identify the rows of that list.
        let place = |told: &'static str| Some((told, columns.get(names.iter().position(|column| column == told)?)?));
        let told: Vec<(&str, &Vec<String>)> = told_by(name).iter().filter_map(|told| place(told)).collect();
        let ids: Vec<String> = ids.iter().cloned().chain(told.iter().map(|(told, _)| (*told).to_owned())).collect();
        for (path, shape) in inner {
            let found: Vec<Found> = found
                .iter()
                .filter_map(|(ids, value)| {
                    let within = at(value, &path)?;
                    let told = told.iter().map(|(_, path)| cell(at(value, path)));
                    Some((ids.iter().cloned().chain(told).collect(), within))
                })
                .collect();
            self.inner(&format!("{name}.{}", path.join(".")), shape, &ids, &found);
        }
    }

    /// Adds one table of what is in these lists, or in these objects with any keys.
    fn inner(&mut self, name: &str, shape: &Shape, ids: &[String], found: &[Found]) {
        let (values, ids, found): (_, Vec<String>, Vec<Found>) = match shape {
            Shape::List(values) => {
                let found = found.iter().flat_map(|(ids, value)| {
                    value.as_array().into_iter().flatten().map(move |value| (ids.clone(), value))
                });
                (values, ids.to_vec(), found.collect())
            }
            Shape::Map(values) => {
                let found = found.iter().flat_map(|(ids, value)| {
                    let each = value.as_object().into_iter().flatten();
                    each.map(move |(key, value)| ([&ids[..], std::slice::from_ref(key)].concat(), value))
                });
                let key = match ids.iter().filter(|id| id.starts_with("key")).count() {
                    0 => "key".to_owned(),
                    n => format!("key_{}", n + 1),
                };
                (values, [ids, &[key]].concat(), found.collect())
            }
            Shape::Object(_) | Shape::Scalar => return,
        };
        match &**values {
            Shape::Object(fields) => self.objects(name, fields, &ids, &found),
            Shape::Scalar => {
                let rows = found.into_iter().map(|(mut row, value)| {
                    row.push(cell(Some(value)));
                    row
                });
                let columns = [&ids[..], &["value".to_owned()]].concat();
                self.list.push(Table { name: name.to_owned(), columns, rows: rows.collect() });
            }
            shape => self.inner(name, shape, &ids, &found),
        }
    }
}

/// Separates the fields, and the fields of fields, into columns and tables of their own.
fn flatten<'a>(
    path: &[String],
    fields: &'a [(String, Shape)],
    columns: &mut Vec<Vec<String>>,
    inner: &mut Vec<(Vec<String>, &'a Shape)>,
) {
    for (name, shape) in fields {
        let path = [path, std::slice::from_ref(name)].concat();
        match shape {
            Shape::Scalar => columns.push(path),
            Shape::Object(fields) => flatten(&path, fields, columns, inner),
            shape => inner.push((path, shape)),
        }
    }
}

fn told_by(name: &str) -> &'static [&'static str] {
    TOLD_BY.iter().find(|(table, _)| *table == name).map_or(&[], |(_, columns)| columns)
}

/// If a column has the same name as an earlier one, the table's name is put before it.
fn distinct(columns: Vec<String>, table: &str) -> Vec<String> {
    let last = table.rsplit('.').next().unwrap_or(table);
    let mut names: Vec<String> = Vec::new();
    for name in columns {
        let name = if names.contains(&name) { format!("{last}.{name}") } else { name };
        names.push(name);
    }
    names
}

fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    /// Tables that contain other tables, but have no columns that identify their rows.
    fn untold(of: schema::Of) -> Vec<String> {
        let mut found = BTreeMap::new();
        if let Shape::Object(fields) = shape(&schema::of(of)) {
            for (name, shape) in &fields {
                untold_in(name, shape, false, &mut found);
            }
        }
        found.into_iter().filter(|(_, told)| !told).map(|(name, _)| name).collect()
    }

    fn untold_in(name: &str, shape: &Shape, is_row: bool, found: &mut BTreeMap<String, bool>) {
        match shape {
            Shape::Scalar => {}
            Shape::List(of) => untold_in(name, of, true, found),
            // Its keys identify its rows.
            Shape::Map(of) => untold_in(name, of, false, found),
            Shape::Object(fields) => {
                let (mut columns, mut inner) = (Vec::new(), Vec::new());
                flatten(&[], fields, &mut columns, &mut inner);
                let columns: Vec<String> = columns.iter().map(|path| path.join(".")).collect();
                if is_row && !inner.is_empty() {
                    let told = told_by(name);
                    found.insert(
                        name.to_owned(),
                        !told.is_empty() && told.iter().all(|id| columns.iter().any(|c| c == id)),
                    );
                }
                for (path, shape) in inner {
                    untold_in(&format!("{name}.{}", path.join(".")), shape, false, found);
                }
            }
        }
    }

    fn tables(schema: &Value, json: &Value) -> Vec<Table> {
        let Shape::Object(fields) = shape(schema) else { panic!("an object") };
        let mut tables = Tables { list: Vec::new() };
        tables.objects("stalls", &fields, &[], &[(Vec::new(), json)]);
        tables.list
    }

    /// The columns do not depend on whether there is anything in them.
    #[test]
    fn shapes_are_the_schemas() {
        let schema = json!({
            "$ref": "#/$defs/Top",
            "$defs": {
                "Top": {"anyOf": [
                    {"type": "object", "properties": {
                        "n": {"type": ["integer", "null"]},
                        "sum": {"type": "object", "properties": {"a": {"type": "number"}}},
                        "origins": {"type": "array", "items": {"$ref": "#/$defs/Row"}},
                        "cells": {"type": "object", "patternProperties": {"^(x|y)$": {
                            "type": "object", "additionalProperties": {"type": "integer"}}}},
                        "words": {"type": "array", "items": {"type": "string"}},
                    }},
                    {"type": "object", "properties": {"unavailable": {"type": "string"}}},
                ]},
                "Row": {"type": "object", "properties": {
                    "origin": {"enum": ["direct"]},
                    "causes": {"type": "array", "items": {"type": "object", "properties": {
                        "cause": {"type": "string"}, "origin": {"type": "integer"}}}},
                }},
            },
        });
        let json = json!({
            "n": null,
            "sum": {"a": 1.5},
            "origins": [{"origin": "direct", "causes": [{"cause": "x, \"y\"", "origin": 7}, {"cause": "z\n"}]}],
            "cells": {"x": {"k": 1, "l": 2}},
            "words": ["one"],
        });
        let csv: Vec<(String, String)> =
            tables(&schema, &json).iter().map(|table| (table.name.clone(), table.csv().expect("CSV"))).collect();
        let expected = [
            ("stalls", "n,sum.a,unavailable\n,1.5,\n"),
            ("stalls.origins", "origin\ndirect\n"),
            ("stalls.origins.causes", "origin,cause,causes.origin\ndirect,\"x, \"\"y\"\"\",7\ndirect,\"z\n\",\n"),
            ("stalls.cells", "key,key_2,value\nx,k,1\nx,l,2\n"),
            ("stalls.words", "value\none\n"),
        ];
        assert_eq!(csv, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
        let none = tables(&schema, &json!({"unavailable": "why"}));
        assert_eq!(none.len(), 5);
        assert_eq!(none[0].csv().expect("CSV"), "n,sum.a,unavailable\n,,why\n");
        assert!(none[1..].iter().all(|table| table.rows.is_empty()));
    }

    #[test]
    fn every_row_is_told_by_something() {
        for of in [schema::Of::Report, schema::Of::Stalls, schema::Of::Diff, schema::Of::Tune] {
            assert_eq!(untold(of), Vec::<String>::new(), "{}", of.word());
            let tables = all(of, &json!({}));
            for table in &tables {
                let mut columns = table.columns.clone();
                columns.sort();
                columns.dedup();
                assert_eq!(columns.len(), table.columns.len(), "{}: {:?}", table.name, table.columns);
                assert_eq!(tables.iter().filter(|other| other.name == table.name).count(), 1, "{}", table.name);
            }
        }
    }
}

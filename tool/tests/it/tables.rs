// SPDX-License-Identifier: GPL-2.0
//! `--csv` and `--csv-dir`: every figure is in a table, and columns stay what they are.

use std::{collections::BTreeSet, fs};

use crate::common::{complaint, fixture, full_dir, golden, recording, run, stdout, whole_stall};
use reclaimwb::{schema::Of, tables::Table};
use serde_json::Value;

/// Header and rows of CSV.
fn read(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let words = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = words(reader.headers().expect("a header"));
    // Of rows that are longer or shorter than the header it is an error.
    (header, reader.records().map(|record| words(&record.expect("a row"))).collect())
}

/// The column of this name.
fn column(text: &str, name: &str) -> Vec<String> {
    let (header, rows) = read(text);
    let at = header.iter().position(|column| column == name).unwrap_or_else(|| panic!("no {name}: {header:?}"));
    rows.into_iter().map(|row| row[at].clone()).collect()
}

/// The names of all tables and columns: others rely on them.
#[test]
fn columns_stay_what_they_are() {
    let formats = [Of::Report, Of::Stalls, Of::Diff, Of::Tune];
    let tables = formats.iter().flat_map(|of| {
        let line = |table: Table| format!("{} {}: {}\n", of.word(), table.name, table.columns.join(" "));
        reclaimwb::tables::all(*of, &Value::Null).into_iter().map(line)
    });
    let text: String = tables.collect();
    golden("csv-tables.txt", &text);
    let list = stdout(&["report", &fixture("after.json"), "--csv", "list"]);
    let (header, rows) = read(&list);
    assert_eq!(header, ["table", "column"]);
    // Whatever there is of it.
    assert_eq!(list, stdout(&["report", &fixture("stalls.json"), "--csv", "list"]));
    for row in &rows {
        let line = text.lines().find(|line| line.starts_with(&format!("report {}: ", row[0]))).expect("a table");
        assert!(line.split(' ').any(|column| column == row[1]), "{row:?}");
    }
}

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::String(text) => found.push(text.clone()),
        Value::Bool(_) | Value::Number(_) => found.push(value.to_string()),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, found)),
        Value::Object(map) => map.values().for_each(|value| leaves(value, found)),
    }
}

/// Each value of the JSON is in a cell, as often at least.
#[test]
fn every_figure_is_in_a_table() {
    let full = full_dir("stalls.json", 3);
    let saved = full.path().join("full.snapshot");
    let saved = saved.to_str().expect("a plain path");
    stdout(&["snapshot", "--debugfs", full.path().to_str().expect("a plain path"), "-o", saved]);
    let [handoff, before, stalls] = ["handoff.json", "handoff-before.json", "stalls.json"].map(fixture);
    for args in [&["report", saved][..], &["report", &handoff, "--since", &before], &["stalls", &stalls]] {
        let dir = tempfile::tempdir().expect("a directory");
        let out = dir.path().join("made/here");
        let out_name = out.to_str().expect("a plain path");
        assert_eq!(stdout(&[args, &["--csv-dir", out_name]].concat()), "");
        let mut cells: Vec<String> = Vec::new();
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&out).expect("files") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("text");
            let (header, rows) = read(&text);
            assert_eq!(header.iter().collect::<BTreeSet<_>>().len(), header.len(), "{header:?}");
            cells.extend(rows.into_iter().flatten().filter(|cell| !cell.is_empty()));
            let name = path.file_stem().and_then(std::ffi::OsStr::to_str).expect("a name").to_owned();
            assert_eq!(path.extension().and_then(std::ffi::OsStr::to_str), Some("csv"));
            // One by one they are the same.
            assert_eq!(stdout(&[args, &["--csv", &name]].concat()), text, "{name}");
            names.insert(name);
        }
        let listed = column(&stdout(&[args, &["--csv", "list"]].concat()), "table");
        assert_eq!(names, listed.into_iter().collect());
        let json: Value = serde_json::from_str(&stdout(&[args, &["--json"]].concat())).expect("JSON");
        let mut wanted = Vec::new();
        leaves(&json, &mut wanted);
        assert!(wanted.len() > 20, "{}", wanted.len());
        cells.sort();
        wanted.sort();
        let mut left = cells.iter().peekable();
        for leaf in wanted.iter().filter(|leaf| !leaf.is_empty()) {
            while left.next_if(|cell| *cell < leaf).is_some() {}
            assert!(left.next_if_eq(&leaf).is_some(), "{args:?}: {leaf:?} is in no table");
        }
    }
}

#[test]
fn rows_are_those_of_the_json() {
    let now = fixture("stalls.json");
    let json: Value = serde_json::from_str(&stdout(&["report", &now, "--json"])).expect("JSON");
    let csv = |table: &str| stdout(&["report", &now, "--csv", table]);
    let sum = |table: &str, name: &str| -> u64 {
        column(&csv(table), name).iter().filter_map(|cell| cell.parse::<u64>().ok()).sum()
    };
    assert_eq!(sum("stalls.causes", "ns"), json["stalls"]["ns"].as_u64().expect("a number"));
    assert_eq!(sum("stalls.origins.causes", "ns"), json["stalls"]["ns"].as_u64().expect("a number"));
    assert_eq!(sum("writes.origins.kinds", "value"), json["writes"]["pages"].as_u64().expect("a number"));
    assert_eq!(sum("writes.origins.cells", "pages"), json["writes"]["pages"].as_u64().expect("a number"));
    let (header, rows) = read(&csv("stalls.origins.causes"));
    assert_eq!(header[..3], ["origin", "cause", "ns"]);
    let first = &json["stalls"]["origins"][0];
    assert_eq!(rows[0][0], first["origin"]);
    assert_eq!(rows[0][1], first["causes"][0]["cause"]);
    // Those that are not there say why.
    let gone = stdout(&["report", &fixture("after.json"), "--csv", "stalls"]);
    assert_eq!(column(&gone, "unavailable"), ["the module is older than the stall ledger"]);
    assert_eq!(read(&stdout(&["report", &fixture("after.json"), "--csv", "stalls.causes"])).1.len(), 0);
}

#[test]
fn others_text_is_quoted() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    let mut event = whole_stall(3_000_000_000, 700);
    event.comm = "a, \"b\"\nc".into();
    recording(&path, ["stalls-before.json", "stalls.json"], &[event], 0);
    let text = stdout(&["stalls", path.to_str().expect("a plain path"), "--csv", "stalls"]);
    assert!(text.contains(",\"a, \"\"b\"\"\nc\","), "{text}");
    assert_eq!(column(&text, "task"), ["a, \"b\"\nc"]);
    assert_eq!(column(&text, "ns"), ["700000"]);
}

#[test]
fn diffs_and_parameters_too() {
    let [a, b] = ["stalls-before.json", "stalls.json"].map(fixture);
    let text = stdout(&["diff", &a, &b, "--csv", "figures"]);
    let (names, listed) = (column(&text, "name"), stdout(&["diff", "--list"]));
    assert!(names.len() > 50 && names.iter().all(|name| listed.contains(name.as_str())));
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("handoff"), "never\n").expect("written");
    let text = stdout(&["tune", "handoff", "--csv", "parameters", "--parameters", dir.path().to_str().expect("plain")]);
    assert_eq!((column(&text, "name"), column(&text, "value")), (vec!["handoff".to_owned()], vec!["never".to_owned()]));
}

#[test]
fn samples_of_top() {
    let dir = crate::common::ledger_dir("stalls.json");
    let debugfs = dir.path().to_str().expect("a plain path");
    for (by, name) in [("origin", "direct"), ("cgroup", "/rwb-files"), ("task", "memhog[150]")] {
        let args = ["top", "--batch", "2", "--interval", "100ms", "--csv", "--by", by, "--debugfs", debugfs];
        let text = stdout(&args);
        let (header, rows) = read(&text);
        assert_eq!((header[0].as_str(), header[1].as_str()), ("time", by));
        assert!(header.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')), "{header:?}");
        // The header once, and each row in both samples.
        assert_eq!(rows.iter().filter(|row| row[1] == name).count(), 2, "{text}");
        assert_eq!(text.matches("time,").count(), 1);
    }
    let text = stdout(&["top", "--batch", "1", "--interval", "100ms", "--csv", "--by", "cgroup", "--debugfs", debugfs]);
    let (names, ns) = (column(&text, "cgroup"), column(&text, "stalled_ns"));
    let of = names.iter().zip(&ns).find(|(name, _)| *name == "/rwb-files").expect("a row").1;
    assert_eq!(of, "861441078");
    assert_eq!(run(&["top", "--csv", "--debugfs", debugfs]).status.code(), Some(2));
}

#[test]
fn what_cannot_be() {
    let now = fixture("stalls.json");
    let line = complaint(&["report", &now, "--csv", "nope"]);
    assert!(line.starts_with("--csv: no table nope; give list, or one of about, taken, machine, "), "{line}");
    let line = complaint(&["report", &now, "--csv-dir", "/dev/null/x"]);
    assert!(line.starts_with("cannot make /dev/null/x: "), "{line}");
    for other in [&["--json"][..], &["--html", "x.html"], &["--csv-dir", "x"]] {
        assert_eq!(
            run(&[&["report", &now, "--csv", "stalls"][..], other].concat()).status.code(),
            Some(2),
            "{other:?}"
        );
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The report, held against golden files, and its parts held against each other.
#![allow(missing_docs)]

mod common;

use std::{collections::BTreeSet, fs};

use common::{edit, fixture, golden, ledger_dir, stdout};
use serde_json::Value;

#[test]
fn report_text() {
    golden("report.txt", &stdout(&["report", &fixture("after.json")]));
}

#[test]
fn report_since() {
    golden("since.txt", &stdout(&["report", &fixture("after.json"), "--since", &fixture("before.json")]));
}

#[test]
fn report_all_stacks() {
    golden("all-stacks.txt", &stdout(&["report", &fixture("after.json"), "--all-stacks", "--width", "120"]));
}

#[test]
fn report_json_structure() {
    // The structure is what scripts rely on; the numbers are checked below and in the text.
    let json = stdout(&["report", &fixture("after.json"), "--since", &fixture("before.json"), "--json"]);
    let mut paths = BTreeSet::new();
    structure("", &serde_json::from_str(&json).expect("JSON"), &mut paths);
    let lines: Vec<String> = paths.into_iter().collect();
    golden("report.json.structure", &(lines.join("\n") + "\n"));
}

/// Every path of a document with the type of what is there; numbers as keys become `N`.
fn structure(path: &str, value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = if key.parse::<u64>().is_ok() { "N" } else { key };
                structure(&format!("{path}.{key}"), value, paths);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| structure(&format!("{path}[]"), value, paths)),
        Value::Null => drop(paths.insert(format!("{path} null"))),
        Value::Bool(_) => drop(paths.insert(format!("{path} bool"))),
        Value::Number(_) => drop(paths.insert(format!("{path} number"))),
        Value::String(_) => drop(paths.insert(format!("{path} string"))),
    }
}

#[test]
fn fits_its_width() {
    for width in [60, 80, 132] {
        let text = stdout(&["report", &fixture("after.json"), "--all-stacks", "--width", &width.to_string()]);
        for line in text.lines() {
            // Names of functions are never cut; all else fits from 80 columns on.
            let wide = line.chars().count() > width && width >= 80 && !line.contains("+0x");
            assert!(!wide, "{} columns: {line}", line.chars().count());
            assert!(line.is_ascii(), "not ASCII: {line}");
            assert!(!line.ends_with(' '), "blank at the end: {line:?}");
        }
    }
}

#[test]
fn since_itself_is_nothing() {
    let json = stdout(&["report", &fixture("after.json"), "--since", &fixture("after.json"), "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["writes"]["pages"], 0);
    assert_eq!(json["headroom"]["rows"], Value::Array(Vec::new()));
    assert!(json["summary"][0].as_str().expect("text").starts_with("Reclaim wrote nothing"));
    // What cannot be subtracted is said to be old.
    let worst = json["stacks"]["worst"].as_array().expect("stacks");
    assert!(!worst.is_empty() && worst.iter().all(|stack| stack["is_new"] == false));
}

#[test]
fn numbers_add_up() {
    let json = stdout(&["report", &fixture("after.json"), "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let sum =
        |values: &Value| -> u64 { values.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum() };
    let mut pages = 0;
    for row in json["writes"]["origins"].as_array().expect("origins") {
        assert_eq!(sum(&row["kinds"]), row["pages"].as_u64().expect("pages"));
        assert_eq!(sum(&row["types"]), row["pages"].as_u64().expect("pages"));
        pages += row["pages"].as_u64().expect("pages");
    }
    assert_eq!(json["writes"]["pages"], pages);
    for stack in json["stacks"]["worst"].as_array().expect("stacks") {
        let parts: u64 = stack["parts"].as_array().expect("parts").iter().filter_map(|p| p["bytes"].as_u64()).sum();
        let outside = stack["outside_frames"].as_u64().expect("number");
        assert_eq!(parts + outside, stack["used"].as_u64().expect("used"));
    }
}

#[test]
fn snapshot_is_whole_and_the_same() {
    let dir = ledger_dir("after.json");
    let file = dir.path().join("snap.json");
    let file = file.to_str().expect("a plain path");
    let debugfs = dir.path().to_str().expect("a plain path");
    assert_eq!(stdout(&["snapshot", "--debugfs", debugfs, "-o", file]), "");

    let saved: Value = serde_json::from_str(&fs::read_to_string(file).expect("file")).expect("JSON");
    let from: Value = serde_json::from_str(&fs::read_to_string(fixture("after.json")).expect("fixture")).expect("JSON");
    assert_eq!(saved["ledgers"], from["ledgers"]);
    assert!(saved["system"]["vmstat"]["pswpout"].is_u64());

    let section = |args: &[&str]| {
        let json: Value = serde_json::from_str(&stdout(args)).expect("JSON");
        (json["writes"].clone(), json["headroom"].clone(), json["stacks"].clone(), json["cgroups"].clone())
    };
    let live = section(&["report", "--debugfs", debugfs, "--json"]);
    assert_eq!(live, section(&["report", file, "--json"]));
    assert_eq!(live, section(&["report", &fixture("after.json"), "--json"]));
}

#[test]
fn a_ledger_that_cannot_be_believed_is_not_shown() {
    let dir = ledger_dir("after.json");
    edit(dir.path(), "status", |text| {
        text.replace("ledger.writes available", "ledger.writes unavailable")
            .replace("ledger.headroom.nbd available", "ledger.headroom.nbd unavailable")
            .replace("probe.mm_vmscan_write_folio attached", "probe.mm_vmscan_write_folio changed")
            .replace("probe.nbd_send_request attached", "probe.nbd_send_request waiting(module not loaded)")
    });
    fs::remove_file(dir.path().join("cgroups")).expect("removed");
    let debugfs = dir.path().to_str().expect("a plain path");
    let text = stdout(&["report", "--debugfs", debugfs]);
    assert!(text.contains("Who wrote is not known: mm_vmscan_write_folio is changed."), "{text}");
    assert!(text.contains("Not available: mm_vmscan_write_folio is changed."), "{text}");
    assert!(text.contains("Not available: cannot read cgroups"), "{text}");
    assert!(text.contains("Not sampled: NBD send (nbd_send_request is waiting(module not loaded))."), "{text}");
    let json: Value = serde_json::from_str(&stdout(&["report", "--debugfs", debugfs, "--json"])).expect("JSON");
    assert_eq!(json["writes"]["unavailable"], "mm_vmscan_write_folio is changed");
    let rows = json["headroom"]["rows"].as_array().expect("rows");
    assert!(!rows.is_empty() && rows.iter().all(|row| row["layer"] != "nbd"));

    let status = stdout(&["status", "--debugfs", debugfs]);
    assert!(status.contains("mm_vmscan_write_folio: changed"), "{status}");
}

#[test]
fn rows_of_a_newer_module_are_named() {
    let dir = ledger_dir("after.json");
    edit(dir.path(), "writes", |text| format!("{text}direct.anon.fscache.pages 5\n"));
    let text = stdout(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(text.contains("1 ledger rows are unknown"), "{text}");
    assert!(text.contains("writes:direct.anon.fscache.pages"), "{text}");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let tool = env!("CARGO_BIN_EXE_reclaimwb");
    let script = format!("{tool} report {} | true; test ${{PIPESTATUS[0]}} = 0", fixture("after.json"));
    let status = std::process::Command::new("bash").args(["-c", &script]).status().expect("bash");
    assert!(status.success());
}

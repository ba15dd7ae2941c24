// SPDX-License-Identifier: GPL-2.0
//! Every bad input gets its one line and exit code 1.
#![allow(clippy::format_collect)]

use std::fs;

use crate::common::{complaint, edit, fixture, ledger_dir, run, stdout};

fn with_ledger(ledger: &str, change: impl Fn(&str) -> String) -> String {
    let dir = ledger_dir("after.json");
    edit(dir.path(), ledger, change);
    let debugfs = dir.path().to_str().expect("a plain path");
    let line = complaint(&["report", "--debugfs", debugfs]);
    // A snapshot that could not be read later is not taken either.
    assert_eq!(line, complaint(&["snapshot", "--debugfs", debugfs]));
    line
}

fn with_file(text: &[u8]) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("snap.json");
    fs::write(&file, text).expect("written");
    complaint(&["report", file.to_str().expect("a plain path")])
}

fn contains(line: &str, what: &[&str]) {
    for what in what {
        assert!(line.contains(what), "{line:?} does not say {what:?}");
    }
}

#[test]
fn unknown_format() {
    let line = with_ledger("status", |text| text.replace("format 2\n", "format 1\n"));
    contains(&line, &["have format 1", "use the reclaimwb that was built with the module"]);
}

/// Who makes a file that others read does not get at their terminals.
#[test]
fn nothing_steers_the_terminal() {
    let line = with_ledger("cgroups", |text| format!("{text}cgroup.62.memcg_reclaim.\u{1b}]0;title\u{7} 1\n"));
    contains(&line, &["\\x1b]0;title\\x07"]);
    let dir = ledger_dir("after.json");
    edit(dir.path(), "cgroups", |text| text.replace("/rwb-huge", "/rwb\u{1b}[2Jhuge\u{9b}"));
    let report = stdout(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(report.contains("/rwb\\x1b[2Jhuge\\u{9b}") && !report.contains(['\u{1b}', '\u{9b}']), "{report}");
}

#[test]
fn cut_off_ledger() {
    contains(&with_ledger("writes", |text| text[..text.len() - 3].into()), &["writes", "cut off"]);
    let half = |text: &str| text.lines().take(40).map(|line| format!("{line}\n")).collect();
    contains(&with_ledger("headroom", half), &["headroom", "is missing"]);
    contains(&with_ledger("status", |_| String::new()), &["status", "empty"]);
}

#[test]
fn broken_rows() {
    let gone = |text: &str| text.replace("direct.windows ", "direct.windoze ");
    contains(&with_ledger("writes", gone), &["writes", "direct.windows is missing"]);
    let twice = |text: &str| format!("{text}stack.size 16384\n");
    contains(&with_ledger("headroom", twice), &["headroom", "stack.size is there twice"]);
    let minus = |text: &str| text.replace("lost.slots 0", "lost.slots -1");
    contains(&with_ledger("status", minus), &["status", "lost.slots is not a number", "\"-1\""]);
    contains(&with_ledger("cgroups", |text| format!("{text}junk\n")), &["cgroups", "not `key value`"]);
    let word = |text: &str| text.replace("ledger.windows available", "ledger.windows maybe");
    contains(&with_ledger("status", word), &["ledger.windows", "maybe"]);
    let no_path = |text: &str| format!("{text}cgroup.4711.direct.pages 1\n");
    contains(&with_ledger("cgroups", no_path), &["cgroup.<id>.path"]);
}

#[test]
fn broken_rows_of_the_helper() {
    let changed = |from: &'static str, to: &'static str| with_ledger("helper", move |text| text.replace(from, to));
    contains(&changed("state on", "state maybe"), &["helper", "row state", "maybe"]);
    contains(&changed("met.pages ", "met.pagez "), &["helper", "met.pages is missing"]);
    contains(&changed("skipped.enough.", "skipped.enuff."), &["skipped.enough.folios is missing"]);
    contains(&changed("clean.us.hist.64 0", "clean.us.hist.65 0"), &["clean.us.hist.65 names no bucket"]);
    contains(&changed("clean.us.hist.64 0", "clean.us.hist.064 0"), &["clean.us.hist.064 names no bucket"]);
    contains(&changed("hist.8388608 0", "hist.16777216 0"), &["hist.16777216 names no bucket"]);
    contains(&changed("window.pages.hist.", "window.pages.histo."), &["window.pages.hist.<low> is missing"]);
    contains(&changed("device.8:16.stuck 1", "device.8:16.stuck 2"), &["device.8:16.stuck", "neither 0 nor 1"]);
    contains(&changed("device.8:16.pending 8\n", ""), &["device.8:16.pending is missing"]);
    contains(&changed("device.8:16.", "device.259:0."), &["is there twice"]);
    contains(&changed("pending.folios 37", "pending.folios -1"), &["pending.folios is not a number"]);
    contains(&with_ledger("helper", |_| String::new()), &["helper", "state is missing"]);
    contains(&with_ledger("helper", |text| text[..text.len() - 1].into()), &["helper", "cut off"]);
}

#[test]
fn no_ledgers() {
    let line = complaint(&["report", "--debugfs", "/nowhere/reclaimwb"]);
    contains(&line, &["/nowhere/reclaimwb", "not loaded", "modprobe reclaimwb", "insmod"]);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let line = complaint(&["status", "--debugfs", dir.path().to_str().expect("a plain path")]);
    contains(&line, &["status", "dmesg"]);
}

#[test]
fn foreign_files() {
    contains(&complaint(&["report", "/nowhere.json"]), &["cannot read /nowhere.json", "No such file"]);
    contains(&with_file(b"hello"), &["nor a snapshot", "reclaimwb record -o FILE"]);
    contains(&with_file(b"\x7fELF\xff\xfe"), &["this is not text"]);
    contains(&with_file(b"{\"a\": 1}"), &["JSON but neither a recording nor a snapshot"]);
    contains(&with_file(b"{\"format\": \"reclaimwb-report\", \"version\": 1}"), &["nor a snapshot"]);
    contains(&with_file(b"{\"format\": \"reclaimwb-snapshot\", \"version\": 9}"), &["version 9", "reads version 1"]);
    contains(&with_file(b"{\"format\": "), &["cut off"]);
    contains(&with_file(b" \n"), &["the file is empty"]);
    contains(&with_file(b"\x1f\x8b\x08\xff\xfe"), &["compressed", "gunzip"]);
}

#[test]
fn cut_off_snapshot() {
    let whole = fs::read(fixture("after.json")).expect("fixture");
    for at in [1, 100, whole.len() / 2, whole.len() - 3] {
        contains(&with_file(&whole[..at]), &["cut off"]);
    }
}

#[test]
fn since_of_something_else() {
    let (before, after) = (fixture("before.json"), fixture("after.json"));
    let line = complaint(&["report", &before, "--since", &after]);
    contains(&line, &["--since", "earlier snapshot is the later one"]);

    let dir = tempfile::tempdir().expect("a temporary directory");
    let other = dir.path().join("other.json");
    let other_name = other.to_str().expect("a plain path");
    let text = fs::read_to_string(&before).expect("fixture");
    let boot = text.lines().find(|line| line.contains("\"boot_id\"")).expect("boot_id");
    fs::write(&other, text.replace(boot, "    \"boot_id\": \"another\",")).expect("written");
    contains(&complaint(&["report", &after, "--since", other_name]), &["different boots"]);

    // Reloaded in between: a counter has become smaller.
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let later: serde_json::Value = serde_json::from_str(&fs::read_to_string(&after).expect("fixture")).expect("JSON");
    json["ledgers"]["status"] = later["ledgers"]["status"].clone();
    json["ledgers"]["writes"] = later["ledgers"]["writes"].clone();
    let rows = json["ledgers"]["writes"]["rows"].as_array_mut().expect("rows");
    for row in rows {
        if row.as_str().is_some_and(|row| row.starts_with("kswapd.windows ")) {
            *row = "kswapd.windows 999999999".into();
        }
    }
    fs::write(&other, json.to_string()).expect("written");
    let line = complaint(&["report", &after, "--since", other_name]);
    contains(&line, &["kswapd.windows was 999999999", "kept loaded"]);
    for row in ["windows", "skipped.enough.folios", "clean.us.hist.8192"] {
        let before = text.replace(&format!("\"{row} "), &format!("\"{row} 99999999"));
        fs::write(&other, before).expect("written");
        let line = complaint(&["report", &after, "--since", other_name]);
        contains(&line, &[&format!("helper:{row} was 99999999"), "kept loaded"]);
    }
}

#[test]
fn a_snapshot_that_cannot_be_saved_leaves_nothing() {
    let dir = ledger_dir("after.json");
    let debugfs = dir.path().to_str().expect("a plain path");
    contains(&complaint(&["snapshot", "--debugfs", debugfs, "-o", "/nowhere/snap.json"]), &["/nowhere/snap.json"]);
    // The old file stays when the new snapshot cannot be taken.
    let file = dir.path().join("snap.json");
    fs::write(&file, "old").expect("written");
    complaint(&["snapshot", "--debugfs", "/nowhere", "-o", file.to_str().expect("a plain path")]);
    assert_eq!(fs::read_to_string(&file).expect("file"), "old");
}

#[test]
fn usage() {
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["report", "--width", "3"]).status.code(), Some(2));
    assert!(stdout(&["--version"]).starts_with("reclaimwb "));
    for command in ["snapshot", "report", "status"] {
        assert!(stdout(&[command, "--help"]).contains("--debugfs"));
    }
}

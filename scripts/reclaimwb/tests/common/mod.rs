// SPDX-License-Identifier: GPL-2.0
//! What the tests share: running the tool, fixtures, golden files.
#![allow(dead_code, missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

pub fn crate_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

pub fn fixture(name: &str) -> String {
    crate_file("fixtures").join(name).to_str().expect("a plain path").to_owned()
}

pub fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reclaimwb")).args(args).output().expect("the tool starts")
}

/// Standard output of a run that must succeed without a word of complaint.
pub fn stdout(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{args:?}: {:?} {stderr}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The complaint of a run that must fail: one line, exit code 1, nothing on standard output.
pub fn complaint(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{args:?} printed a report");
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    stderr.strip_prefix("reclaimwb: ").expect("says who complains").trim_end().to_owned()
}

/// Compares with a golden file; `UPDATE_GOLDEN=1` accepts what is there now.
pub fn golden(name: &str, actual: &str) {
    let path = crate_file("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("golden file written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected != actual {
        let line = expected.lines().zip(actual.lines()).position(|(e, a)| e != a);
        let line = line.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
        panic!(
            "{name} differs from line {}:\n  expected {:?}\n  got      {:?}\naccept with: UPDATE_GOLDEN=1 cargo test",
            line + 1,
            expected.lines().nth(line).unwrap_or("(end)"),
            actual.lines().nth(line).unwrap_or("(end)")
        );
    }
}

/// A directory with the ledgers of a fixture snapshot, as debugfs would show them.
pub fn ledger_dir(snapshot: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = fs::read_to_string(fixture(snapshot)).expect("fixture");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for (name, ledger) in json["ledgers"].as_object().expect("ledgers") {
        let rows: Vec<&str> = ledger["rows"].as_array().expect("rows").iter().filter_map(|r| r.as_str()).collect();
        fs::write(dir.path().join(name), rows.join("\n") + "\n").expect("ledger written");
    }
    dir
}

/// Changes one ledger of a directory.
pub fn edit(dir: &Path, ledger: &str, change: impl Fn(&str) -> String) {
    let path = dir.join(ledger);
    let text = fs::read_to_string(&path).expect("ledger");
    let changed = change(&text);
    assert_ne!(text, changed, "the edit of {ledger} changes nothing");
    fs::write(path, changed).expect("ledger written");
}

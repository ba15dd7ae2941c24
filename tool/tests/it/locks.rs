// SPDX-License-Identifier: GPL-2.0
//! Waits for locks of tasks that stalled, from ledgers made here.

use std::fs;

use crate::common::{complaint, ledger_dir, report_since, stalls_locks, stdout};
use serde_json::Value;

fn with(ledger: &str) -> tempfile::TempDir {
    let dir = ledger_dir("stalls.json");
    fs::write(dir.path().join("stalls_locks"), ledger).expect("ledger written");
    dir
}

fn report(dir: &tempfile::TempDir, more: &[&str]) -> String {
    stdout(&[&["report", "--debugfs", dir.path().to_str().expect("a plain path")], more].concat())
}

fn json(dir: &tempfile::TempDir, more: &[&str]) -> Value {
    serde_json::from_str(&report(dir, &[more, &["--json"]].concat())).expect("JSON")
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_section_names_lock_holder_and_cause() {
    let dir = with(&stalls_locks(2));
    let text = words(&report(&dir, &["--width", "200"]));
    for says in [
        "Tasks waited 12 times, 9.000 s in all, for locks held by tasks that stalled; 2 of them by tasks that stalled \
         themselves.",
        "shmem_file_write_iter a task waiting for writeback 10 8.000 s 400.000 ms writer for a hog",
        "do_mmap readers scanning 2 1.000 s 400.000 ms mapper for faulter (a reader)",
        "it may have left before its stall",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let locks = &json(&dir, &[])["stalls"]["locks"];
    assert_eq!((&locks["waits"], &locks["stalled"]["waits"]), (&12.into(), &2.into()));
    assert_eq!(locks["sites"][0]["holder"]["task"], "a hog");
    assert_eq!(locks["sites"][1]["held_by"], "readers");
    let csv = report(&dir, &["--csv", "stalls.locks.sites"]);
    assert!(csv.lines().next().expect("a header").contains("held_by") && csv.lines().count() == 3, "{csv}");
}

#[test]
fn the_summary_tells_the_chain() {
    let says = |dir: &tempfile::TempDir| json(dir, &[])["summary"].to_string();
    let text = says(&with(&stalls_locks(2)));
    let chain = "Tasks waited 12 times for locks held by tasks that stalled, 9.000 s in all, most in \
                 shmem_file_write_iter behind waiting for writeback; the longest was writer[7] for a hog[8], 400.000 ms.";
    assert!(text.contains(chain), "{text}");
    // Of none, and of a module that has no such ledger, there is nothing to say.
    assert!(!says(&with(&stalls_locks(0))).contains("for locks held"));
    let older = ledger_dir("stalls.json");
    assert!(!says(&older).contains("for locks held"));
    assert_eq!(json(&older, &[])["stalls"]["locks"], Value::Null);
}

#[test]
fn since_an_earlier_snapshot() {
    let (before, after) = (with(&stalls_locks(1)), with(&stalls_locks(3)));
    let saved = tempfile::tempdir().expect("a temporary directory");
    let path = saved.path().join("before.json");
    let (debugfs, path) = (before.path().to_str().expect("a plain path"), path.to_str().expect("a plain path"));
    stdout(&["snapshot", "--debugfs", debugfs, "-o", path]);
    let locks = &json(&after, &["--since", path])["stalls"]["locks"];
    assert_eq!((&locks["waits"], &locks["sites"][0]["ns"]), (&12.into(), &8_000_000_000_u64.into()));
    // Where nothing came there is no row.
    let same = &json(&before, &["--since", path])["stalls"]["locks"];
    assert_eq!((&same["waits"], same["sites"].as_array().map(Vec::len)), (&0.into(), Some(0)));
}

/// The longest since the module was loaded may be from before the interval: then it is marked, as minima are.
#[test]
fn the_longest_may_be_older_than_the_interval() {
    // Tasks stalled in between, too.
    let (before, after) = (ledger_dir("stalls-before.json"), with(&stalls_locks(3)));
    fs::write(before.path().join("stalls_locks"), stalls_locks(1)).expect("ledger written");
    let (text, json) = report_since(before.path(), after.path());
    let text = words(&text);
    assert!(text.contains("10 8.000 s 400.000 ms* writer for a hog"), "{text}");
    assert!(text.contains("Those marked * were reached before the interval began"), "{text}");
    assert_eq!(json["stalls"]["locks"]["sites"][0]["longest_is_new"], false);
    // The summary, which is of the interval, does not name it.
    let summary = json["summary"].to_string();
    assert!(summary.contains("most in shmem_file_write_iter behind waiting for writeback."), "{summary}");
    let longer = with(&stalls_locks(3).replacen("longest.ns 400000000", "longest.ns 400000001", 1));
    let (text, json) = report_since(before.path(), longer.path());
    assert!(words(&text).contains("10 8.000 s 400.000 ms writer for a hog"), "{text}");
    assert_eq!(json["stalls"]["locks"]["sites"][0]["longest_is_new"], true);
    assert!(json["summary"].to_string().contains("the longest was writer[7] for a hog[8], 400.000 ms"));
}

#[test]
fn folded_by_site_and_cause() {
    let dir = with(&stalls_locks(1));
    let debugfs = dir.path().to_str().expect("a plain path");
    let folded = stdout(&["stalls", "--debugfs", debugfs, "--folded", "--locks"]);
    let lines = "do_mmap;held by readers;scanning 500000\nshmem_file_write_iter;held by a task;waiting for writeback \
                 4000000\n";
    assert_eq!(folded, lines);
    // With waits without a row, the sum is that of all waits. A cause of a newer module is not one that nothing explains.
    let more = stalls_locks(1)
        .replace("lock.1.cause scan", "lock.1.cause of_tomorrow")
        .replace("other.waits 0\nother.ns 0\n", "other.waits 3\nother.ns 250000000\n");
    let dir = with(&more);
    let debugfs = dir.path().to_str().expect("a plain path");
    let folded = stdout(&["stalls", "--debugfs", debugfs, "--folded", "--locks"]);
    let lines = "(others) 250000\ndo_mmap;held by readers;(unknown cause) 500000\nshmem_file_write_iter;held by a \
                 task;waiting for writeback 4000000\n";
    assert_eq!(folded, lines);
}

#[test]
fn a_broken_ledger_is_refused() {
    for (from, to, says) in [
        ("held_by readers", "held_by none", "lock.1.held_by is neither task nor readers"),
        ("waiter.pid 7", "waiter.pid x", "is not a number"),
        ("lock.1.ns", "lock.1.us", "lock.1.ns is missing"),
        ("other.waits", "others.waits", "other.waits is missing"),
    ] {
        let dir = with(&stalls_locks(1).replace(from, to));
        let said = complaint(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
        assert!(said.contains("stalls_locks") && said.contains(says), "{said}");
    }
}

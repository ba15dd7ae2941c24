// SPDX-License-Identifier: GPL-2.0
//! Rows of waits and of shrinkers that are given to others between two snapshots: the sums of the interval stay exact.

use std::{fmt::Write, fs, path::Path};

use crate::common::{complaint, ledger_dir, stdout, waits};
use serde_json::Value;

/// Cgroups by id, with milliseconds of waits for swap and pages of files that came back, and what rows say beside.
fn waits_cgroups(rows: &[(&str, u64, u64, &str)]) -> String {
    let mut text = String::new();
    for (row, ms, pages, beside) in rows {
        let _ = writeln!(text, "{row}.path {}", if row.ends_with(".0") { "-" } else { "/some/path" });
        if *ms > 0 {
            let _ = writeln!(text, "{row}.swapin.waits {ms}\n{row}.swapin.ns {0}", ms * 1_000_000);
            let _ = writeln!(text, "{row}.swapin.limit.max.ns {0}", ms * 1_000_000);
        }
        let _ = writeln!(text, "{row}.psi.ns {0}\n{row}.refaults.anon.pages 0", ms * 500_000);
        let _ = writeln!(text, "{row}.refaults.file.pages {pages}");
        text += &beside.replace("ROW", row);
    }
    text
}

fn interval(ledger: &str, before: &str, after: &str) -> Result<Value, String> {
    let dir = ledger_dir("stalls.json");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("ledger written");
    write("waits", &waits([0; 8]));
    write("waits_cgroups", &waits_cgroups(&[("other.0", 0, 0, ""), ("removed.0", 0, 0, "")]));
    write(ledger, before);
    let saved = dir.path().join("before.json");
    let (debugfs, saved) = (plain(dir.path()), plain(&saved));
    stdout(&["snapshot", "--debugfs", debugfs, "-o", saved]);
    write(ledger, after);
    let args = ["report", "--debugfs", debugfs, "--since", saved, "--json"];
    let output = crate::common::run(&args);
    if !output.status.success() {
        return Err(complaint(&args));
    }
    Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn plain(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn of_waits() {
    // 1 loses its row to 4, and lives; 2 is removed and its row goes to 5; 3 stays; 1 gets another row later.
    let before = waits_cgroups(&[
        ("cgroup.1", 100, 10, ""),
        ("cgroup.2", 50, 5, ""),
        ("cgroup.3", 30, 3, ""),
        ("removed.0", 7, 1, ""),
        ("other.0", 9, 2, ""),
    ]);
    let after = waits_cgroups(&[
        ("cgroup.1", 20, 2, "ROW.missed.ns 300000000\n"),
        ("cgroup.3", 35, 4, ""),
        ("cgroup.4", 60, 6, ""),
        ("cgroup.5", 1, 0, "ROW.removed 1\n"),
        ("removed.0", 7 + 50 + 4, 1 + 5, ""),
        ("other.0", 9 + 100 + 11, 2 + 10 + 1, ""),
    ]);
    let report = interval("waits_cgroups", &before, &after).expect("a report");
    let rows = report["waits"]["cgroups"].as_array().expect("rows");
    let ns = |cgroup: Option<&str>, removed: bool| {
        let is_it = |row: &&Value| row["cgroup"].as_str() == cgroup && row["removed"] == removed;
        rows.iter().find(is_it).map(|row| (row["ns"].as_u64(), row["file_pages"].as_u64()))
    };
    let ms = |n: u64, pages: u64| Some((Some(n * 1_000_000), Some(pages)));
    // What 1 counted before it lost its row is of no part of the interval, nor is what came to the heirs for that.
    assert_eq!(ns(Some("1"), false), None);
    assert_eq!(ns(Some("3"), false), ms(5, 1));
    assert_eq!(ns(Some("4"), false), ms(60, 6));
    assert_eq!(ns(Some("5"), true), ms(1, 0));
    assert_eq!(ns(None, true), ms(4, 0));
    // 20 of it were counted by 1 in its new row, which are taken for those that it had before.
    assert_eq!(ns(None, false), ms(31, 3));
    assert_eq!(report["waits"]["lost_rows"], 2);
    // What is nowhere now was another module's.
    let nowhere = waits_cgroups(&[("removed.0", 7, 1, ""), ("other.0", 9, 2, "")]);
    let said = interval("waits_cgroups", &before, &nowhere).expect_err("a complaint");
    assert!(said.contains("nowhere now"), "{said}");
}

/// A row of each number, with calls and nanoseconds.
fn shrinkers(rows: &[(&str, u64, u64)], heirs: [(&str, u64); 2]) -> String {
    let counts = |row: &str, calls: u64| {
        let names = ["empty", "idle", "refused", "overlapped", "scanned", "freed", "freed.pages", "count.ns"];
        let more = ["deferred", "deferred_nofs", "paid", "nofs_calls"];
        let text = format!("{row}.calls {calls}\n{row}.scan.ns {}\n", calls * 1000);
        names.iter().chain(&more).fold(text, |text, name| text + row + "." + name + " 0\n")
    };
    let mut text = "state on\n".to_owned();
    for (i, (name, cgroup, calls)) in rows.iter().enumerate() {
        let row = format!("shrinker.{i}");
        let _ = writeln!(text, "{row}.name {name}\n{row}.origin memcg_max\n{row}.cgroup {cgroup}\n{row}.node 0");
        text += &counts(&row, *calls);
    }
    heirs.iter().fold(text, |text, (heir, calls)| text + &counts(heir, *calls))
}

#[test]
fn of_shrinkers() {
    let before = shrinkers(&[("sb-ext4", 1, 100), ("sb-ext4", 2, 40)], [("other", 3), ("removed", 5)]);
    let after = shrinkers(&[("sb-ext4", 2, 41), ("sb-xfs", 3, 9)], [("other", 3 + 2), ("removed", 5 + 100 + 1)]);
    let section = &interval("shrinkers", &before, &after).expect("a report")["shrinkers"];
    assert_eq!(section["total"]["calls"], 1 + 9 + 2 + 1);
    assert_eq!((&section["other"]["calls"], &section["removed"]["calls"]), (&2.into(), &1.into()));
    assert_eq!(section["lost_rows"], 1);
    // One of a module that gives no row back.
    let older = |text: &str| {
        text.lines().filter(|line| !line.starts_with("removed.")).fold(String::new(), |all, line| all + line + "\n")
    };
    let same = shrinkers(&[("sb-ext4", 1, 100)], [("other", 3), ("removed", 0)]);
    let section = &interval("shrinkers", &older(&same), &older(&same)).expect("a report")["shrinkers"];
    assert_eq!((&section["total"]["calls"], &section["removed"]["calls"]), (&0.into(), &0.into()));
}
